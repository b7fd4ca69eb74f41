"""Probes for leaks: passwords are planted, and looked for wherever Milkrun leaves a text.

A word that is meant to be seen goes the same ways: each medium must show it, or the probe looks in the wrong place.
"""

import base64
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from forecasting.cli import milkrun
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.storage.db import embedded
from forecasting.storage.db.database import Database, create_engine, open_database
from forecasting.storage.db.dumps import program
from forecasting.storage.db.schema import migrate
from tests.end_to_end.hosting import AUTHENTICATION, Api, Hosting, wait_until

CORE = "qxhushed"  # what no encoding changes
PASSWORD = f"7/{CORE}@: %9"
WRONG = f"8/{CORE}@: %1"
KEY = f"pnu_{CORE}"
SECRETS = (CORE, AUTHENTICATION.split(":")[1], base64.b64encode(AUTHENTICATION.encode()).decode())
SEEN = "seen by all"

# Runs commands one after the other in one process, logs at DEBUG, and shows a failure with all that hangs on it.
DRIVER = """
import json, logging, sys, traceback
logging.basicConfig(level=logging.DEBUG)
from forecasting.cli import milkrun
for arguments in json.loads(sys.argv[1]):
    print("---", *arguments, flush=True)
    try:
        print("ended with", milkrun(arguments, standalone_mode=False))
    except BaseException as failure:
        print("failed with", getattr(failure, "exit_code", 1))
        traceback.print_exception(failure)
        seen = []
        while failure is not None and failure not in seen:
            seen.append(failure)
            print(str(failure), repr(failure), failure.args, vars(failure))
            failure = failure.__cause__ or failure.__context__
"""
SERVERS = ("serve", "deploy")  # deploy, and what serve starts, is tried on its own below
OWN_DATABASE = ("demo",)


def write_seen(file: Path) -> None:
    """Write a series whose name is meant to be seen."""
    months = (f"{SEEN},{1990 + n // 12}-{n % 12 + 1:02d},{n % 12}.5" for n in range(60))
    file.write_text("\n".join(["series,month,value", *months]))


def commands(folder: Path) -> list[list[str]]:
    """Return one call of every command, in an order in which each can do its work."""
    write_seen(folder / "seen.csv")
    query = "select series, month, value from milkrun.latest_observation"
    return [
        ["migrate"],
        ["load", str(folder / "seen.csv")],
        ["pull", "--query", query],
        ["source", "add", "seen", "--url-from", "MILKRUN_SOURCE_URL", "--query", query],
        ["source", "pull"],
        ["plan", "--every-series"],
        ["run", "--series", SEEN, "--late-months", "999"],
        ["delivery", "add", "shelf", "--url-from", "MILKRUN_SOURCE_URL", "--table", "public.shelf"],
        ["delivery", "send"],
        ["backfill", "--start", "1994-10", "--end", "1994-10", "--yes"],
        ["status"],
        ["show", SEEN],
        ["history", SEEN],
        ["explain", SEEN],
        ["plot", SEEN, "--terminal"],
        ["sql", "select * from latest_forecast"],
        ["recipe", "list"],
        ["policy", "show", SEEN],
        ["backtest", "--origins", "1", "--recipe", "classic", "--horizon", "1"],
        ["report", "--out", str(folder / "page")],
        ["verify"],
        ["rollback", SEEN, "--why", "a probe"],
        ["promote", SEEN, "--why", "a probe"],
        ["doctor"],
        ["prune", "--dry-run"],
        ["backup", str(folder / "milkrun.dump")],
        ["restore", str(folder / "milkrun.dump")],
    ]


def leaks(shown: str | bytes) -> list[str]:
    """Return the secrets that a text shows; it must show what is meant to be seen, or it is no evidence."""
    plain = shown.decode(errors="replace") if isinstance(shown, bytes) else shown
    assert SEEN in plain
    return [secret for secret in SECRETS if secret in plain]


@pytest.fixture(scope="module")
def guarded() -> Iterator[URL]:
    """Give the URL of a database with one series on a server that asks for its password."""
    with tempfile.TemporaryDirectory(prefix="milkrun-guarded-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with embedded.running_server(home) as url:
            engine = create_engine(url)
            database = Database(engine, "guarded")
            migrate(database)
            write_seen(home / "seen.csv")
            source = open_file(home / "seen.csv", ColumnRoles())
            load_observations(database, source, source="seen.csv", today=Month.of(2000, 1))
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("ALTER ROLE postgres PASSWORD :password"), {"password": PASSWORD})
                access_rules = home / "database/pg_hba.conf"
                own_rules = access_rules.read_text()
                access_rules.write_text("local all all scram-sha-256\n")
                connection.execute(text("SELECT pg_reload_conf()"))
                try:
                    yield url.set(password=PASSWORD)
                finally:
                    access_rules.write_text(own_rules)  # its last user logs in to stop it
                    connection.execute(text("SELECT pg_reload_conf()"))
            engine.dispose()


@contextmanager
def process_list() -> Iterator[list[bytes]]:
    """Gather the arguments of every process that runs meanwhile, a hundred times a second."""
    found: set[bytes] = set()
    gathered: list[bytes] = []
    over = threading.Event()

    def gather() -> None:
        while not over.wait(0.01):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    found.add(file.read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=gather)
    thread.start()
    try:
        yield gathered
    finally:
        over.set()
        thread.join()
        gathered += found


@pytest.fixture
def drive(hosting: Hosting, tmp_path: Path) -> Callable[..., str]:
    """Give a function that runs commands on a database and returns all that they print and log."""

    def call(url: str, *arguments: list[str], **extra: str) -> str:
        home = tmp_path / "home"
        settings = Settings(home=home, database_url=url)
        environment = hosting.environment(settings, MILKRUN_SOURCE_URL=url, **extra)
        answer = subprocess.run(
            [sys.executable, "-c", DRIVER, json.dumps(arguments)],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
        return answer.stdout + answer.stderr

    return call


def rendered(url: URL) -> str:
    """Return a URL with its password, as people write it into an environment."""
    return url.render_as_string(hide_password=False)


@pytest.mark.slow
def test_no_command_shows_a_password(
    guarded: URL, drive: Callable[..., str], hosting: Hosting, prefect_database: URL, tmp_path: Path
) -> None:
    """Every command, logging at DEBUG: neither output, logs, process list, page, files, dumps nor tables show one."""
    every = commands(tmp_path)
    assert {call[0] for call in every} | {*SERVERS, *OWN_DATABASE} == set(milkrun.commands)

    in_query = guarded._replace(password=None).update_query_dict({"password": PASSWORD})

    with process_list() as processes:
        shown = drive(rendered(guarded), *every)
        shown += drive(rendered(in_query), ["backup", str(tmp_path / "again.dump")], ["doctor"])

    assert shown.count("ended with") >= len(every) - 3, shown[-4000:]
    assert leaks(shown) == []
    assert leaks(b"\n".join(processes).replace(b"\0", b" ")) == []
    assert any(b"pg_dump" in line for line in processes)
    assert leaks(b"".join(file.read_bytes() for file in (tmp_path / "page").rglob("*") if file.is_file())) == []
    assert leaks(plain_dump(guarded)) == []
    assert leaks(plain_dump(prefect_database)) == []
    for file in (file for file in (tmp_path / "home").rglob("*") if file.is_file()):
        assert CORE.encode() not in file.read_bytes(), file
    restored = subprocess.run(
        [program("pg_restore"), "--file", "-", str(tmp_path / "milkrun.dump")], capture_output=True, check=True
    )
    assert leaks(restored.stdout) == []


def plain_dump(url: URL) -> str:
    """Return all rows of a database, as text."""
    # Without the options of libpq that the embedded server's address has: an empty one asks this server for no password.
    query = {"host": url.query["host"]} if "host" in url.query else {}
    place = url.set(drivername="postgresql", query=query)._replace(password=None).render_as_string()
    command = [program("pg_dump"), "--dbname", place, "--data-only", "--exclude-schema=information_schema"]
    environment = {"PGPASSWORD": str(url.password or "")}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.slow
def test_no_failure_shows_a_password(guarded: URL, drive: Callable[..., str], tmp_path: Path) -> None:
    """Every command, on databases that refuse, are not there, or whose URL is not one: no message and no cause shows it."""
    every = [*commands(tmp_path), ["serve", "--port", "1"]]
    some = [call for call in every if call[0] in ("sql", "plan", "doctor", "backup", "show")]
    places = {
        "wrong password": (rendered(guarded.set(password=WRONG)), every),
        "wrong database": (rendered(guarded.set(database="absent")), every),
        "nobody there": (f"postgresql://milkrun:{CORE}@127.0.0.1:1/milkrun", every),
        "no such host": (f"postgresql://milkrun:{CORE}@nowhere.invalid/milkrun", some),
        "in the query": (f"postgresql://127.0.0.1:1/milkrun?user=milkrun&password={CORE}", some),
        "an unknown option": (f"postgresql://milkrun:{CORE}@127.0.0.1:1/milkrun?x={CORE}", some),
        "an @ too many": (f"postgresql://milkrun:7@{CORE}@127.0.0.1:1/milkrun", some),
        "an @ and a / too many": (f"postgresql://milkrun:7@{CORE}/x@127.0.0.1:1/milkrun", some),
        "an @ and a ? too many": (f"postgresql://milkrun:7@{CORE}?x=1@127.0.0.1:1/milkrun", some),
        "a # too many": (f"postgresql://milkrun:7#@{CORE}#@127.0.0.1:1/milkrun", some),
        "no port": (f"postgresql://milkrun:{CORE}@127.0.0.1:port/milkrun", some),
        "another database": (f"mysql://milkrun:{CORE}@127.0.0.1:1/milkrun", some),
        "no URL": (f"milkrun {CORE}", some),
    }
    for what, (url, calls) in places.items():
        shown = drive(url, *calls)

        assert leaks(shown) == [], what
        # Doctor's exit code tells, a list of recipes needs no database, and a refusal may come before the database is asked.
        failed = shown.count("failed with 3") + shown.count("failed with 4") + shown.count("ended with 3")
        assert failed + shown.count("--- recipe list") + shown.count("--- policy show") == len(calls), (
            what,
            shown[-4000:],
        )


@pytest.mark.slow
def test_no_command_shows_the_keys_of_a_server(guarded: URL, drive: Callable[..., str]) -> None:
    """A Prefect server that does not answer, or refuses: neither its key, nor a password in its address, is shown."""
    calls = (["run", "--series", SEEN], ["run", "--submit"], ["deploy"], ["doctor"])
    address = f"http://milkrun:{CORE}@127.0.0.1:1/api"
    keys = {"PREFECT_API_KEY": KEY, "PREFECT_API_AUTH_STRING": f"milkrun:{CORE}"}

    away = drive(rendered(guarded), *calls, PREFECT_API_URL=address, **keys)
    refusing = drive(rendered(guarded), *calls, **keys)

    assert (leaks(away), leaks(refusing)) == ([], [])
    assert (away.count("does not answer") + away.count("No Prefect server answers")) >= 4
    assert refusing.count("refused the credentials") >= 4


@pytest.mark.slow
def test_no_flow_run_shows_a_password(
    deployed: Hosting, api: Api, guarded: URL, prefect_database: URL, tmp_path: Path
) -> None:
    """Runs by a worker that logs at DEBUG, one that ends well and one that cannot log in: nothing in the server's database."""
    for password, ended in ((WRONG, ("FAILED", "CRASHED")), (PASSWORD, ("COMPLETED",))):
        url = rendered(guarded.set(password=password))
        worker = deployed.start_worker(
            Settings(home=tmp_path, database_url=url),
            PREFECT_LOGGING_LEVEL="DEBUG",
            PREFECT_LOGGING_EXTRA_LOGGERS="forecasting,flows,sqlalchemy",
        )
        flow_run = api.run("milkrun-monthly/monthly", series=[SEEN], late_months="999")
        found = api.wait_for(flow_run, "COMPLETED", "FAILED", "CRASHED")
        assert found["state_type"] in ended, deployed.log("worker")
        wait_until(partial(api.log, flow_run), "its log is there")
        deployed.stop(worker)

    assert leaks(plain_dump(prefect_database)) == []
    assert leaks(json.dumps([api.find(kind) for kind in ("flow_runs", "task_runs", "artifacts", "logs")])) == []
    assert [secret for secret in SECRETS if secret in deployed.log("worker") + deployed.log("server")] == []


def test_nothing_that_is_printed_while_debugging_shows_a_password(guarded: URL, tmp_path: Path) -> None:
    """Neither settings, nor engine, nor database have it in their repr: a debugger or a test shows those."""
    settings = Settings(home=tmp_path / SEEN, database_url=rendered(guarded))
    with open_database(settings) as database, database.reading() as connection:
        told = [repr(each) for each in (settings, database, database.engine, database.engine.url, connection)]
        told += [str(settings), str(database.engine.url), database.place, repr(connection.connection.driver_connection)]

    assert leaks("\n".join(told)) == []


def test_a_probe_finds_what_is_there() -> None:
    """Control: a password in any of its forms is found, and a text that shows nothing at all is no evidence."""
    for secret in (PASSWORD, rendered(URL.create("postgresql", "m", PASSWORD)), KEY, AUTHENTICATION):
        assert leaks(f"{SEEN} {secret}") != []
    assert leaks(SEEN) == []
    with pytest.raises(AssertionError):
        leaks("nothing")
    with process_list() as processes:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", PASSWORD, SEEN], check=True)
    assert leaks(b"\n".join(processes).replace(b"\0", b" ")) == [CORE]
