"""Tests of what docs/explanation/promises.md says."""

import re
from pathlib import Path

DOCUMENT = Path("docs/explanation/promises.md")


def test_each_promise_names_tests_that_exist() -> None:
    """The promises are there, in order, and each names at least one file of tests; each file named is there."""
    rows = re.findall(r"^\| (P\d+) \|.*$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [f"P{number}" for number in (*range(1, 12), 13, 15)]
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("| P"):
            named = re.findall(r"`(tests/[\w/]+\.py)`", line.split("|")[4])
            assert named
            assert all("def test_" in Path(name).read_text() for name in named)
