"""Tests of milkrun pull: the source, its password, and Milkrun's own database as a source."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from forecasting.domain.settings import Settings
from tests.cli.conftest import Milkrun
from tests.cli.test_load import MILK

SECRET = "s3cr3t-w0rd"  # noqa: S105 - opens nothing


def test_a_pull_reads_the_url_from_the_environment(
    milkrun: Milkrun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source may stand in MILKRUN_SOURCE_URL; a repeated pull adds nothing."""
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    connection.executescript("CREATE TABLE sales (name, month, value); INSERT INTO sales VALUES ('milk', '1962-01', 5)")
    connection.close()
    monkeypatch.setenv("MILKRUN_SOURCE_URL", f"sqlite:///{tmp_path}/shop.db")

    assert "1 added" in milkrun("pull", "--table", "sales").out
    assert "1 unchanged" in milkrun("pull", "--query", "select * from sales", "--since", "1962-01").out


def test_a_pull_reads_the_own_database(milkrun: Milkrun) -> None:
    """`own` is Milkrun's database: series can be made of series."""
    milkrun("load", MILK)
    query = "select 'double' as series, month, 2 * value as value from milkrun.observation"

    assert "168 added" in milkrun("pull", "--from", "own", "--query", query).out


def test_a_password_is_printed_and_stored_nowhere(milkrun: Milkrun, settings: Settings) -> None:
    """Neither a successful pull nor a failed one shows or stores the password of the source."""
    assert settings.database_url is not None
    url = make_url(settings.database_url)
    secret = str(url.password or SECRET)
    correct_url = url.set(password=secret).render_as_string(hide_password=False)
    query = "select 'x' as series, '1962-01' as month, 1 as value"
    outcomes = [
        milkrun("pull", "--from", correct_url, "--query", query),
        milkrun("pull", "--from", f"postgresql://u:{SECRET}@127.0.0.1:1/x", "--query", query),
        milkrun("pull", "--from", f"postgresql://127.0.0.1:1/x?password={SECRET}", "--query", query),
        milkrun("pull", "--from", f"postgresql://u:{SECRET}@y@127.0.0.1:1/x", "--query", query),
        milkrun("pull", "--from", correct_url, "--query", query.replace("1 as", f"'{secret}' as nothing, no as")),
    ]
    load_rows = milkrun("sql", "select load::text from load").out

    assert [outcome.code for outcome in outcomes] == [0, 3, 3, 4, 4]
    text = load_rows + "".join(outcome.out + outcome.err for outcome in outcomes)
    assert (SECRET in text, secret in text) == (False, False)


def test_a_query_of_a_pull_cannot_end_its_transaction(milkrun: Milkrun) -> None:
    """A second statement behind an identifier with dollar signs is refused, and nothing is deleted."""
    query = "select 'x' as series, '1962-01' as month, 1 as a$$; commit; delete from milkrun.load; select 1 as b$$"

    outcome = milkrun("pull", "--from", "own", "--query", query)

    assert outcome.code == 4
    assert "one statement at a time" in outcome.err
