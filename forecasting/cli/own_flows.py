"""Milkrun's package flows, and whatever else of that name would be imported in its place: refused in one sentence."""

import importlib.util
import logging
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from forecasting.domain.errors import InputError


def require_own_flows() -> None:
    """Raise InputError where `import flows` gives another package than Milkrun's; the message says which, and the way out.

    Whatever imports flows calls this before: the name is one that projects with Prefect like to use.
    """
    _require(sys.path)


def require_own_flows_of_worker() -> None:
    """Raise the same where a worker runs a flow, and write it into the log of the run; the deployments call it as pull step.

    Prefect looks for the flow in the working directory of the run before it looks anywhere else.
    """
    try:
        _require([str(Path.cwd()), *sys.path], worker=True)
    except InputError as refusal:
        run = os.environ.get("PREFECT__FLOW_RUN_ID")
        if run is not None:  # Prefect keeps a line by the id of its run, and prints the name
            logging.getLogger("prefect.flow_runs").error(
                "%s", refusal, extra={"flow_run_id": run, "flow_run_name": run, "flow_name": "milkrun"}
            )
        raise


def _require(path: list[str], *, worker: bool = False) -> None:
    own = Path(__file__).resolve().parents[2] / "flows"
    place = _place(path)
    if place is None:
        raise InputError(f"Milkrun's package flows is missing from {own.parent}: install Milkrun again.")
    if place == own:
        return
    raise InputError(f"{place} hides Milkrun's own package {own}: {_remedy(place.parent, worker)}.")


def _place(path: list[str]) -> Path | None:
    """Return the folder, or the single file, that `import flows` reads."""
    module = sys.modules.get("flows")
    # An editable installation may have a finder of its own, which comes after those of the path.
    spec = module.__spec__ if module is not None else PathFinder.find_spec("flows", path)
    spec = spec or importlib.util.find_spec("flows")
    if spec is None:
        return None
    folders = spec.submodule_search_locations
    return Path(next(iter(folders)) if folders else spec.origin or "").resolve()


def _remedy(folder: Path, worker: bool) -> str:
    """Say how the folder gets off the path on which modules are looked for, by the way it got there."""
    named = os.environ.get("PYTHONPATH", "")
    if named and folder in {Path(each or ".").resolve() for each in named.split(os.pathsep)}:
        what = "start the worker again" if worker else "repeat the command"
        return f"unset PYTHONPATH, or take {folder} out of it, then {what}"
    if folder != Path.cwd():
        return "rename it, or install Milkrun into an environment of its own"
    if worker:
        return "give the work pool another working directory"
    return "run the command from another folder, or set PYTHONSAFEPATH=1"
