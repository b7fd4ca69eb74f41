"""The documents as text: which there are, their prose without blocks, and what they set in code type."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]


def prose_of(text: str) -> str:
    """Return a document's text without its fenced blocks."""
    return re.sub(r"^```(\w*)\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def code_in(text: str) -> list[str]:
    """Return what stands in code type in the prose of a document, each on one line."""
    return [re.sub(r"\s+", " ", found) for found in re.findall(r"`([^`]+)`", prose_of(text))]


def anchors_of(text: str) -> set[str]:
    """Return the anchors that links may name: a heading in lower case, blanks as hyphens, without punctuation."""
    headings = re.findall(r"^#+ (.+)$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def load_script(path: Path) -> ModuleType:
    """Import a script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
