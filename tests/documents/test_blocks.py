"""Tests of every code block of the documents: what they show runs as it stands."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL

from forecasting.domain.policy_file import read_policy_file
from forecasting.domain.settings import Settings
from forecasting.intake.source_settings import read_source
from forecasting.storage.db.database import create_engine, open_database
from forecasting.storage.views.sql import run_query
from tests.documents.texts import DOCUMENTS, NAMES, ROOT, anchors_of, prose_of

# Indented blocks are text. These show lines of a file, a formula, or what another program must fetch something for.
INDENTED = ("rows_read =", "logs →", "INSTALL postgres", "set search_path")

# What stands for something of the reader's own: their warehouse, their shop.
THEIRS = {
    "postgresql://reader:password@warehouse/sales": "{database}",
    "postgresql://reader@warehouse/sales": "{database}",
    "postgresql://reader:secret@db.example.com/shop": "{database}",
    "postgresql://milkrun_writer@db/milkrun": "{database}",
    "postgresql://milkrun_owner@db/milkrun_restored": "{empty}",
    "postgresql://milkrun_owner@db/milkrun": "{database}",
}

# What needs a server that stands is asked here whether it knows these options; tests/end_to_end runs it on a real one.
STANDING = re.compile(r"\b((?:milkrun (?:serve|deploy|run --submit)|prefect|dask) ?[^#&\n]*?) *(?=$|#|&)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block: its language, its text, and the line that it begins at."""

    language: str
    text: str
    line: int


def blocks_of(document: Path) -> list[Block]:
    """Return the fenced code blocks of a document."""
    text = document.read_text()
    return [
        Block(found[1], found[2], text[: found.start()].count("\n") + 1)
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def of_language(*languages: str) -> list[pytest.param]:  # type: ignore[valid-type]
    """Return every block of some languages, named by its place."""
    return [
        pytest.param(block, id=f"{document.relative_to(ROOT)}:{block.line}")
        for document in DOCUMENTS
        for block in blocks_of(document)
        if block.language in languages
    ]


@pytest.mark.parametrize("block", of_language("sql"))
def test_sql_finds_rows(story: Settings, block: Block) -> None:
    """On a year of runs, every query of the documents runs and finds something."""
    with open_database(story) as opened, run_query(opened, block.text) as (_, rows):
        assert list(rows)


@pytest.mark.parametrize("block", of_language("toml"))
def test_a_settings_file_is_read(tmp_path: Path, block: Block) -> None:
    """What the documents show as the file of a source, or as the policy, is one."""
    file = tmp_path / "sales.toml"
    file.write_text(block.text)

    if "[[rule]]" in block.text:
        assert read_policy_file(file).rules
    else:
        assert read_source(file).name == "sales"


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(document, id=str(document.relative_to(ROOT)))
        for document in DOCUMENTS
        if {block.language for block in blocks_of(document)} & {"sh", "python", "csv"}
    ],
)
def test_a_document_can_be_followed(
    document: Path, story_copy_url: URL, empty_database_url: URL, tmp_path: Path
) -> None:
    """Commands, scripts and files of a document, one after the other, in an empty folder, on a year of runs."""
    url, empty = (each.render_as_string(hide_password=False) for each in (story_copy_url, empty_database_url))
    _fill_their_warehouse(story_copy_url)
    here = tmp_path / "here"
    here.mkdir()
    (here / "sales.csv").write_text("month,shop\n1975-11,5\n1975-12,6\n")
    script = ["set -eu"]
    for block in blocks_of(document):
        if block.language == "sh":
            script.append(block.text)
        elif block.language in ("python", "csv"):
            name = f"block-{block.line}.{block.language}"
            (here / name).write_text(block.text)
            script.append(f"python {name}" if block.language == "python" else f"milkrun load {name}")
    text = "\n".join(script)
    for theirs, ours in THEIRS.items():
        quoted = shlex.quote(ours.format(database=url, empty=empty))
        text = text.replace(f"'{theirs}'", quoted).replace(theirs, quoted)
    text = STANDING.sub(r"\1 --help > /dev/null ", text)
    text = re.sub(r"^make ([a-z-]+)\b.*$", rf"grep -q '^\1:' {ROOT}/Makefile", text, flags=re.MULTILINE)
    (here / "follow.sh").write_text(text)
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "MILKRUN_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    done = subprocess.run(
        ["/bin/bash", "follow.sh"], cwd=here, env=environment, capture_output=True, text=True, timeout=500, check=False
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_no_block_goes_untested_and_no_link_leads_nowhere(document: Path) -> None:
    """Fences name a language that a test here runs; what is indented is known; files that are linked to are there."""
    text = document.read_text()
    languages = {block.language for block in blocks_of(document)}
    prose = prose_of(text)
    indented = re.findall(r"(?:^|\n\n)    (\S.*)", prose)
    links = [link for link in re.findall(r"\]\(([^)]+)\)", prose) if "://" not in link]

    assert languages <= {"sh", "sql", "python", "csv", "toml"}
    assert [line for line in indented if not line.startswith(INDENTED)] == []
    assert [link for link in links if not _leads_somewhere(document, link)] == []


def _leads_somewhere(document: Path, link: str) -> bool:
    """Say whether the file of a link is there, and in it the heading that the link names."""
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    return target.exists() and (not anchor or anchor in anchors_of(target.read_text()))


def _fill_their_warehouse(url: URL) -> None:
    """Put the tables that the documents pull from where the test's own database is."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE SCHEMA shop;"
            "CREATE TABLE shop.sales AS SELECT 'tea' AS product, date '1975-12-01' AS sold_in, 3.5 AS amount;"
            "CREATE TABLE monthly_sales AS SELECT 'shoes' AS series, date '1975-12-01' AS month, 7.5 AS value"
        )
    engine.dispose()
