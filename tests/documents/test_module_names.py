"""Names of modules: each word is one of the glossary, or plain English that needs no explanation."""

import re
from pathlib import Path

import pytest

from forecasting.cli import COMMANDS
from tests.documents.texts import ROOT

GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text()
# Words of the field, of Python, of SQL and of Prefect that have their usual meaning here.
PLAIN_WORDS = {
    "accuracy", "airline", "api", "arithmetic", "artifact", "automation", "batched", "block", "case", "chart", "cli",
    "cluster", "codec", "column", "comparison", "copy", "csv", "data", "database", "dataset", "db", "deployment", "domain",
    "dump", "earlier", "embedded", "event", "file", "flow", "folder", "form", "frame", "gradient", "hosting", "job", "joint",
    "label", "metric", "name", "newest", "numerics", "operation", "option", "other", "output", "own", "page", "pattern",
    "prefect", "program", "progress", "pruning", "random", "reader", "report", "review", "row", "rule", "scaling", "schema",
    "seasonality", "server", "session", "setting", "signal", "single", "smoothing", "sql", "staging", "statistical", "step",
    "storage", "store", "sum", "summary", "table", "tensorflow", "terminal", "type", "url", "version", "view", "vocabulary",
}  # fmt: skip


def glossary_words(text: str) -> set[str]:
    """Return the words of the terms that a glossary explains, those set in bold, in the singular."""
    return {
        _singular(word) for term in re.findall(r"\*\*(.+?)\*\*", text) for word in re.findall(r"[a-z]+", term.lower())
    }


def unexplained_words(module: Path, explained_words: set[str]) -> list[str]:
    """Return the words of a module's name that are neither explained nor plain English."""
    words = [_singular(word) for part in module.with_suffix("").parts for word in part.strip("_").split("_")]
    return [word for word in words if word not in explained_words | PLAIN_WORDS and word != "init"]


def _singular(word: str) -> str:
    if word in ("series", "diagnostics", "numerics"):
        return word
    return re.sub(r"ies$", "y", word) if word.endswith("ies") else re.sub(r"(?<=[^su])s$", "", word)


@pytest.mark.parametrize("folder", ["forecasting", "flows"])
def test_a_module_is_named_in_words_that_are_explained(folder: str) -> None:
    """Folders and files alike; a module of the command line has the name of its command."""
    explained_words = glossary_words(GLOSSARY) | {word for command in COMMANDS for word in command.split("-")}
    modules = [path.relative_to(ROOT / folder) for path in sorted((ROOT / folder).rglob("*.py"))]

    words_by_module = {str(module): unexplained_words(module, explained_words) for module in modules}

    assert {module: words for module, words in words_by_module.items() if words} == {}


def test_no_plain_word_is_left_over() -> None:
    """A word that no module has any more, or that the glossary explains, leaves the list."""
    names = " ".join(
        str(path.with_suffix("")) for folder in ("forecasting", "flows") for path in (ROOT / folder).rglob("*.py")
    )
    words = {_singular(word) for word in re.findall(r"[a-z]+", names)}

    assert sorted(PLAIN_WORDS - words) == sorted(PLAIN_WORDS & glossary_words(GLOSSARY)) == []


@pytest.mark.parametrize("module", ["runs/round.py", "outlook.py", "storage/champion_story.py", "kept/bundles.py"])
def test_an_unexplained_word_is_noticed(module: str) -> None:
    """The check above fails on metaphors and bare participles."""
    assert len(unexplained_words(Path(module), glossary_words(GLOSSARY))) == 1
