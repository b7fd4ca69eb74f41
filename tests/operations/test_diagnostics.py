"""Tests of milkrun doctor: for each finding one trouble, made on a real database, and the remedy that is told."""

import json
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, text

from forecasting.cli import milkrun
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.operations.diagnostics import Finding, Limits, examine
from forecasting.runs import job
from forecasting.storage.db import embedded
from forecasting.storage.db.database import LOAD_LOCK, Database, create_engine, open_database
from forecasting.storage.db.schema import migrate
from tests.coming_release import REVISION, coming_release
from tests.storage.test_roles import apply_roles, as_role

Arrive = Callable[..., LoadResult]
USUAL = Limits()


def troubles(settings: Settings, limits: Limits = USUAL) -> dict[str, Finding]:
    """Examine an installation and return what is not in order, by check; each must have a remedy."""
    found = list(examine(settings, limits))
    assert all(bool(finding.remedy) == (finding.level != "ok") for finding in found)
    return {finding.check: finding for finding in found if finding.level != "ok"}


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def as_writer(url: URL, tmp_path: Path) -> Settings:
    """Give the settings of the writer, who may change nothing."""
    apply_roles(url)
    return as_role(url, "milkrun_writer", tmp_path)


def execute(database: Database, statement: str) -> None:
    """Make a trouble."""
    database.write(lambda connection: connection.execute(text(statement)))


def publish(database: Database) -> None:
    """Publish a run of the recipe classic."""
    run = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number)
    job.publish_run(database, run)


@pytest.fixture
def sound(database: Database, database_url: URL, arrive: Arrive, milk: list[float], tmp_path: Path) -> Settings:
    """Give the settings of an installation in order: two series, a published run, the writer's role."""
    arrive("1974-01", milk=milk[144:], butter=milk[144:])
    publish(database)
    return as_writer(database_url, tmp_path)


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Give a function that runs `milkrun doctor --json` in an environment and returns its exit code and its findings."""

    def call(settings: Settings | None = None, **variables: str) -> tuple[int, list[dict[str, Any]]]:
        if settings is not None:
            variables |= {"MILKRUN_HOME": str(settings.home), "DATABASE_URL": str(settings.database_url)}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        answer = CliRunner().invoke(milkrun, ["doctor", "--json"], standalone_mode=False)
        assert answer.exception is None, answer.output
        return answer.return_value, json.loads(answer.output)

    return call


def test_an_installation_in_order_has_no_finding(sound: Settings, doctor: Callable[..., Any]) -> None:
    """Every check is made and all are in order; exit code 0."""
    code, findings = doctor(sound)

    assert [finding["check"] for finding in findings] == [
        "timezone", "database", "clock", "space", "migrations", "roles", "loads", "runs", "series", "sources",
        "deliveries", "bundles", "prefect",
    ]  # fmt: skip
    assert {finding["level"] for finding in findings} == {"ok"}
    assert code == 0


def test_a_database_that_does_not_answer(doctor: Callable[..., Any], tmp_path: Path) -> None:
    """The password stays out of the message, and the exit code is 3."""
    url = f"postgresql://someone:very-secret@127.0.0.1:{free_port()}/milkrun"

    code, findings = doctor(Settings(home=tmp_path, database_url=url))

    assert code == 3
    [found] = [finding for finding in findings if finding["level"] == "error"]
    assert found["check"] == "database"
    assert "DATABASE_URL" in found["remedy"]
    assert "very-secret" not in json.dumps(findings)


def test_a_setting_that_cannot_be_read(doctor: Callable[..., Any]) -> None:
    """A time zone that is none is a finding, not an end."""
    code, findings = doctor(MILKRUN_TIMEZONE="Mars/Olympus")

    assert code == 3
    assert [finding["check"] for finding in findings] == ["settings", "prefect"]
    assert "MILKRUN_TIMEZONE is 'Mars/Olympus'" in findings[0]["message"]


def test_tables_that_are_missing_old_or_of_a_newer_release(empty_database_url: URL, tmp_path: Path) -> None:
    """Each of the three has its own remedy; nothing else is asked of such tables."""
    settings = Settings(home=tmp_path, database_url=empty_database_url.render_as_string(hide_password=False))
    database = Database(create_engine(empty_database_url), "here")
    missing = troubles(settings)["migrations"]
    migrate(database)
    with coming_release(tmp_path):
        old = troubles(settings)["migrations"]
    execute(database, "UPDATE milkrun.alembic_version SET version_num = '9999'")
    newer = troubles(settings)["migrations"]
    database.engine.dispose()

    assert (missing.message, missing.remedy) == ("There are no tables yet.", "milkrun migrate")
    assert old.message.endswith(f", this release needs {REVISION}.")
    assert old.remedy.endswith("milkrun migrate")
    assert newer.message == "The tables are at revision 9999, which this release does not know."
    assert {found.level for found in (missing, old, newer)} == {"error"}


def test_rights_that_are_missing_and_rights_that_are_too_many(
    sound: Settings, settings: Settings, database_url: URL, database: Database, tmp_path: Path
) -> None:
    """The reader cannot run anything; a superuser may change history; a writer whom a table is withheld from lacks one."""
    reader = troubles(as_role(database_url, "milkrun_reader", tmp_path))["roles"]
    superuser = troubles(settings)["roles"]
    execute(database, "REVOKE INSERT ON milkrun.forecast FROM milkrun_writer")
    writer = troubles(sound)["roles"]

    assert (reader.level, superuser.level, writer.level) == ("error", "warning", "error")
    assert "SELECT on bundle" in reader.message
    assert "may change or remove what was published" in superuser.message
    assert writer.message == "milkrun_writer lacks rights that loads and runs need: INSERT on forecast."
    assert "deploy/roles.sql" in writer.remedy


def test_a_disk_that_is_nearly_full(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """Of the embedded database the folder is known, and what is free there; none has as much as is asked for here."""
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    with embedded.running_server(tmp_path):
        found = troubles(Settings(home=tmp_path), Limits(free_bytes=1 << 60))["space"]

    assert found.level == "error"
    assert "MiB are free in /" in found.message
    assert "milkrun prune --dry-run" in found.remedy


def test_a_load_that_is_held_open(sound: Settings) -> None:
    """Until it commits it has sealed nothing, and others wait: its process is named, and how to end it."""
    with open_database(sound) as database, database.engine.begin() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOAD_LOCK})
        assert troubles(sound) == {}
        found = troubles(sound, Limits(open_load=timedelta(0)))["loads"]

    assert f"(pid {pid}) has been open for" in found.message
    assert found.remedy == f"Wait, or end it: SELECT pg_terminate_backend({pid})"
    assert troubles(sound, Limits(open_load=timedelta(0))) == {}


def test_a_run_that_was_never_published(sound: Settings, database: Database, arrive: Arrive) -> None:
    """Open for more than a day: it is named with the command that goes on with it."""
    arrive("1976-01", milk=[900.0])
    job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    assert troubles(sound) == {}
    execute(database, "UPDATE milkrun.run SET started_at = now() - interval '25 hours' WHERE run_id = 2")

    found = troubles(sound)["runs"]

    assert found.level == "warning"
    assert found.message.startswith("Runs that were never published: 1, the oldest of them run 2: live, origin 1976-01")
    assert found.remedy.startswith("milkrun run --origin 1976-01 --recipe classic --retrain auto goes on with it")


def test_a_source_and_a_delivery_that_failed(sound: Settings, database: Database) -> None:
    """Each is named with its reason, and with the command that tries again; a later success takes the finding away."""
    for folder, lines in (
        (sound.sources_folder, "path = '/nowhere.csv'"),
        (sound.deliveries_folder, "path = '/proc/x'"),
    ):
        folder.mkdir()
        (folder / "shop.toml").write_text(lines)
    execute(
        database,
        "INSERT INTO milkrun.source_pull (source, settings, error, started_at, made_by) "
        "VALUES ('shop', '{}', 'no file', now(), 'ada')",
    )
    execute(
        database,
        "INSERT INTO milkrun.delivery (target, run_id, place, error, made_by) "
        "SELECT 'shop', run_id, '/proc/x', 'no room', 'ada' FROM milkrun.run",
    )

    findings = {finding.check: finding for finding in examine(sound)}

    for check, reason, command in (
        ("sources", "no file", "milkrun source test shop"),
        ("deliveries", "no room", "milkrun delivery send shop"),
    ):
        assert findings[check].level == "warning"
        assert reason in findings[check].message
        assert command in findings[check].remedy
    execute(
        database,
        "INSERT INTO milkrun.source_pull (source, settings, load_id, rows_read, started_at, made_by) "
        "SELECT 'shop', '{}', load_id, 1, now(), 'ada' FROM milkrun.load",
    )
    assert {finding.check: finding.level for finding in examine(sound)}["sources"] == "ok"


def test_a_series_that_fell_silent(sound: Settings, arrive: Arrive, database: Database) -> None:
    """Four months behind the newest is later than three; a series that was switched off is not asked about."""
    arrive("1976-01", milk=[900.0, 900.0, 900.0])
    assert troubles(sound) == {}
    arrive("1976-04", milk=[900.0])

    found = troubles(sound)["series"]

    assert "1 active series have had no month for more than 3 months before 1976-04, such as 'butter'" in found.message
    execute(database, "UPDATE milkrun.series SET active = false WHERE name = 'butter'")
    assert troubles(sound) == {}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE milkrun.bundle SET payload = set_byte(payload, 7, get_byte(payload, 7) # 1)", "checksum"),
        ("UPDATE milkrun.bundle SET payload = substr(payload, 5)", "bytes, its manifest says"),
        ('UPDATE milkrun.bundle_member SET scaler = \'{"low": 0, "high": 1}\' WHERE position = 0', "a scaler"),
        ("UPDATE milkrun.bundle SET manifest = manifest || '{\"more\": 1}'", "its manifest differs"),
    ],
)
def test_a_bundle_that_is_damaged(sound: Settings, database: Database, damage: str, told: str) -> None:
    """Payload, length, scaler or manifest: whatever is not what was stored is found before a run needs it."""
    execute(database, damage)

    found = troubles(sound)["bundles"]

    assert found.level == "error"
    assert found.message.startswith("Bundles of the newest run that were read: 1 of 1; damaged: 1. ")
    assert told in found.message
    assert "milkrun run --retrain always" in found.remedy


def test_clocks_that_differ(sound: Settings, database: Database, database_url: URL) -> None:
    """A server whose clock says an hour later."""
    execute(database, "CREATE SCHEMA late")
    execute(database, """CREATE FUNCTION late.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
        $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$""")  # fmt: skip
    execute(database, "GRANT USAGE ON SCHEMA late TO milkrun_writer")
    execute(database, f'ALTER DATABASE "{database_url.database}" SET search_path = late, pg_catalog')

    found = troubles(sound)["clock"]

    assert found.level == "warning"
    assert re.match(r"The clocks of the database and of this machine are 3,(599|600) s apart", found.message)
    assert "NTP" in found.remedy


def test_a_prefect_server_that_does_not_answer(sound: Settings, doctor: Callable[..., Any]) -> None:
    """Where PREFECT_API_URL names one, it must answer."""
    code, findings = doctor(sound, PREFECT_API_URL=f"http://127.0.0.1:{free_port()}/api")

    assert code == 3
    [found] = [finding for finding in findings if finding["level"] == "error"]
    assert found["check"] == "prefect"
    assert found["message"].startswith("No Prefect server answers at PREFECT_API_URL")
    assert found["remedy"].startswith("milkrun serve")
