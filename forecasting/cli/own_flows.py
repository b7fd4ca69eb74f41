"""Refusal of a foreign package flows that Python would import in place of Milkrun's own package flows."""

import importlib.util
import logging
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from forecasting.domain.errors import InputError


def require_own_flows() -> None:
    """Raise InputError where `import flows` gives another package than Milkrun's; the message has its path and the remedy.

    All code that imports flows calls this function before: many projects with Prefect have a package of that name.
    """
    _require(sys.path)


def require_own_flows_of_worker() -> None:
    """Raise the same error in a worker, and write it into the log of the run; the deployments call this as their pull step.

    Prefect searches the working directory of the run first.
    """
    try:
        _require([str(Path.cwd()), *sys.path], is_worker=True)
    except InputError as refusal:
        run_id = os.environ.get("PREFECT__FLOW_RUN_ID")
        if run_id is not None:  # Prefect keeps a line by the id of its run, and prints the name
            logging.getLogger("prefect.flow_runs").error(
                "%s", refusal, extra={"flow_run_id": run_id, "flow_run_name": run_id, "flow_name": "milkrun"}
            )
        raise


def _require(search_path: list[str], *, is_worker: bool = False) -> None:
    """Raise the error of `require_own_flows`; search_path: the folders that Python searches for modules, in order."""
    own_folder = Path(__file__).resolve().parents[2] / "flows"
    flows_path = _flows_path(search_path)
    if flows_path is None:
        raise InputError(f"Milkrun's package flows is missing from {own_folder.parent}: install Milkrun again.")
    if flows_path == own_folder:
        return
    raise InputError(f"{flows_path} hides Milkrun's own package {own_folder}: {_remedy(flows_path.parent, is_worker)}.")


def _flows_path(search_path: list[str]) -> Path | None:
    """Return the folder, or the single file, that `import flows` reads."""
    module = sys.modules.get("flows")
    # An editable installation may have a finder of its own, which comes after those of the path.
    spec = module.__spec__ if module is not None else PathFinder.find_spec("flows", search_path)
    spec = spec or importlib.util.find_spec("flows")
    if spec is None:
        return None
    folders = spec.submodule_search_locations
    return Path(next(iter(folders)) if folders else spec.origin or "").resolve()


def _remedy(folder: Path, is_worker: bool) -> str:
    """Return how to take the folder off the path of modules, which depends on how it came there."""
    python_path = os.environ.get("PYTHONPATH", "")
    if python_path and folder in {Path(entry or ".").resolve() for entry in python_path.split(os.pathsep)}:
        next_step = "start the worker again" if is_worker else "repeat the command"
        return f"unset PYTHONPATH, or take {folder} out of it, then {next_step}"
    if folder != Path.cwd():
        return "rename it, or install Milkrun into an environment of its own"
    if is_worker:
        return "give the work pool another working directory"
    return "run the command from another folder, or set PYTHONSAFEPATH=1"
