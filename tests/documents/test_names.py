"""Names in the code: nouns that say what a value is, and no participle or adverb that leaves it open."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.texts import ROOT

FOLDERS = ("forecasting", "flows", "migrations", "benchmarks", "docs")
BARE_WORDS = {
    "again", "answered", "asked", "began", "begun", "chosen", "compared", "counted", "damaged", "done", "drawn",
    "ended", "fitted", "found", "given", "grown", "held", "helpless", "judged", "kept", "known", "learned", "lost",
    "made", "meant", "needed", "observed", "opened", "others", "picked", "planned", "read", "revised", "said",
    "seen", "shown", "speaking", "spoken", "spoke", "stored", "taken", "then", "there", "told", "trained", "wanted",
    "written",
}  # fmt: skip
# Words that tables, JSON, options and other libraries use: a variable or field of that name is theirs.
FIELDS_OF_OTHERS = {("forecasting/operations/verification.py", "stored")}  # a key of `milkrun verify --json`


def bare_words_in(source: str) -> list[str]:
    """Return the variables, parameters and fields of a module that are called by a bare word alone."""
    return sorted(
        {f"{name}, line {line}" for name, line in _bound_names(ast.parse(source)) if name.strip("_") in BARE_WORDS}
    )


def _bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_variable_is_called_by_a_bare_participle(folder: str) -> None:
    """`found`, `known` or `said` leave open what a variable holds: the code says it by a noun."""
    words = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        module = str(path.relative_to(ROOT))
        allowed = {name for place, name in FIELDS_OF_OTHERS if place == module}
        words[module] = [word for word in bare_words_in(path.read_text()) if word.split(",")[0] not in allowed]

    assert {module: found for module, found in words.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    ["found = 1", "def f(known: int) -> int: ...", "for said in []: ...", "x = [told for told in y]", "_made: int = 1"],
)
def test_a_bare_word_is_noticed(source: str) -> None:
    """As a variable, a parameter, in a loop, in a comprehension, as a field."""
    assert len(bare_words_in(source)) == 1


def test_a_class_has_its_name_once() -> None:
    """No two classes of the package share a name, so that a reader knows which one is meant."""
    names: dict[str, list[Path]] = {}
    for path in [*(ROOT / "forecasting").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                names.setdefault(node.name, []).append(path.relative_to(ROOT))

    assert {name: paths for name, paths in names.items() if len(paths) > 1} == {}
