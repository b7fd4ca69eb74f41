"""Tests of what documents name in passing: paths, commands, modules, layers, and one another."""

import importlib.util
import re
import tomllib
from pathlib import Path

import click
import pytest

from forecasting.cli import milkrun
from tests.documents.texts import DOCUMENTS, NAMES, ROOT, code_in

FOLDERS = ("forecasting", "flows", "migrations", "tests", "docs", "deploy", "benchmarks", "requirements")
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)


def paths_in(text: str) -> list[str]:
    """Return the paths of this repository that a text names."""
    return [code for code in code_in(text) if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})(?:/[\w.*-]+)*/?", code)]


def missing_in(text: str) -> list[str]:
    """Return which of the paths, commands, modules and targets that a text names do not exist."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = [path for path in paths_in(text) if not any(ROOT.glob(path.rstrip("/")))]
    for code in code_in(text):
        name, *words = code.split()
        if name == "milkrun":
            missing += [f"{code}: {problem}" for problem in _unknown(milkrun, words)]
        elif name == "make" and words and words[0] not in targets:
            missing.append(code)
        elif words[:1] == ["-m"] and "".join(words[1:2]).startswith("benchmarks"):
            missing += [] if importlib.util.find_spec(words[1]) else [code]
    return missing


def _unknown(command: click.Command, words: list[str]) -> list[str]:
    """Follow the words of a command line; return a subcommand or the options that are not known."""
    if isinstance(command, click.Group):
        if not words or not re.fullmatch(r"[a-z-]+", words[0]) or words[0].startswith("-"):
            return []
        found = command.commands.get(words[0])
        return _unknown(found, words[1:]) if found else [f"no command {words[0]}"]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help"
    }
    return [f"no option {word}" for word in words if word.startswith("--") and word.split("=")[0] not in known]


@each_document
def test_what_a_document_names_is_there(document: Path) -> None:
    """Paths, commands with their options, make's targets and benchmarks that stand in the text exist."""
    assert missing_in(document.read_text()) == []


@pytest.mark.parametrize(
    "named",
    ["forecasting/nowhere.py", "milkrun skim", "milkrun run --sideways", "make butter", "python -m benchmarks.nothing"],
)
def test_a_name_that_leads_nowhere_is_found(named: str) -> None:
    """The check above fails on names that were made up."""
    assert len(missing_in(f"See `{named}`, and `milkrun run --dry-run`.".replace(" --dry-run", ""))) == 1


def test_the_architecture_names_every_layer_in_its_order() -> None:
    """Its table is the list that import-linter enforces, top to bottom; and the walk through the house is not empty."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(layer.split(" | ")) for layer in next(each["layers"] for each in contracts if "layers" in each)]
    table = text.split("## Which layer may import which")[1].split("## Where to put what")[0]
    rows = [paths_in(line.split("|")[1]) for line in table.splitlines() if line.startswith("| `forecasting")]

    assert [{Path(path).stem for path in row} for row in rows] == layers
    assert len(paths_in(text.split("## Which layer")[0])) > 20


def test_every_document_is_in_an_index() -> None:
    """From README.md every document is reached by links, one after the other."""
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        document = to_read.pop()
        reached.add(document)
        links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()) if document.suffix == ".md" else []
        targets = [(document.parent / link).resolve() for link in links if "://" not in link]
        to_read += [target for target in targets if target.suffix in (".md", ".ipynb") and target not in reached]

    assert sorted({*DOCUMENTS, *(ROOT / "docs").rglob("*.ipynb")} - reached) == []
