"""Everything works behind PgBouncer in transaction mode, and nothing stays in a session that others get next."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL, text

from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import load_observations
from forecasting.runs import job
from forecasting.storage.db.programs import run_program, server_account
from forecasting.storage.db.schema import open_migrated_database
from forecasting.storage.views.sql import run_query

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")

_CONFIGURATION = """
[databases]
milkrun = host={folder} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@pytest.fixture
def pooled() -> Iterator[URL]:
    """Give the address of a PgBouncer with two connections, before a server that trusts everyone in a private folder."""
    account = server_account()
    with tempfile.TemporaryDirectory(prefix="milkrun-pooler-") as name, socket.socket() as free:
        folder = Path(name)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        run_program(
            "initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", folder=folder
        )
        run_program("pg_ctl", "start", "-w", "-D", "data", "-l", "data/log", "-o", f"-h '' -k {folder}", folder=folder)
        (folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(folder=folder, port=port))
        (folder / "pgbouncer.ini").chmod(0o644)
        command = [str(PGBOUNCER), "--quiet", str(folder / "pgbouncer.ini")]
        user = {"user": account.pw_uid, "group": account.pw_gid} if account else {}
        with subprocess.Popen(command, **user) as pooler:  # type: ignore[call-overload]
            try:
                _wait_for(port)
                yield URL.create("postgresql", "analyst", host="127.0.0.1", port=port, database="milkrun")
            finally:
                pooler.terminate()
                run_program("pg_ctl", "stop", "-m", "immediate", "-D", "data", folder=folder, check=False)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("PgBouncer did not start")


def strangers_settings(url: URL) -> set[tuple[str, ...]]:
    """Return the settings and the advisory locks that other clients of the pooler meet in its two sessions."""
    query = """
        SELECT pg_sleep(0.2)::text, current_setting('statement_timeout'), current_setting('lock_timeout'),
               (SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory')"""
    rows: set[tuple[str, ...]] = set()

    def read() -> None:
        connection = psycopg2.connect(host=url.host, port=url.port, user="stranger", dbname=url.database)
        with connection.cursor() as cursor:
            cursor.execute(query)
            rows.add(tuple(cursor.fetchone() or ()))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rows


def test_a_month_behind_a_pooler_leaves_nothing_in_its_sessions(pooled: URL, tmp_path: Path) -> None:
    """Migrations at once, a load, a run and a query succeed; a stranger finds no lock and the settings of the server."""
    settings = Settings(home=tmp_path, database_url=pooled.render_as_string())
    untouched = strangers_settings(pooled)
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "MILKRUN_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from forecasting.cli import main; main()", "migrate"]
    migrations = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [migration.wait() for migration in migrations] == [0, 0, 0]
    with open_migrated_database(settings) as database:
        source = open_file(Path("forecasting/examples/milk.csv"), ColumnRoles(form="wide"))
        load_observations(database, source, source=source.name, today=Month.of(2200, 1))
        run = job.open_run(database, job.run_parameters(settings, recipe="classic"))
        job.run_shard(database, run, 0)
        assert job.publish_run(database, run).published_now
        with run_query(database, "SELECT count(*) FROM latest_forecast") as (_, rows):
            assert list(rows) == [(12,)]
        with database.reading() as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "5min"

    assert strangers_settings(pooled) == untouched == {("", "0", "0", "0")}


@pytest.mark.slow
def test_backfill_and_prune_work_behind_a_pooler(pooled: URL, tmp_path: Path) -> None:
    """Both commands do their work with two connections; a stranger finds no lock and the settings of the server."""
    settings = Settings(home=tmp_path, database_url=pooled.render_as_string())
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "quick.toml").write_text('base = "classic"\nepochs = 2\n')
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **own,
        "DATABASE_URL": str(settings.database_url),
        "MILKRUN_HOME": str(tmp_path),
        "MILKRUN_RECIPE": "quick",
    }

    def milkrun(*arguments: str) -> str:
        command = [sys.executable, "-c", "from forecasting.cli import main; main()", *arguments]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    untouched = strangers_settings(pooled)
    milkrun("load", "forecasting/examples/milk.csv")
    milkrun("backfill", "--start", "1975-09", "--end", "1975-11", "--retrain", "always", "--yes")
    with open_migrated_database(settings) as database:
        job.open_run(database, job.run_parameters(settings, recipe="quick"))
        age = text("UPDATE milkrun.run SET (started_at, published_at) = (started_at - :age, published_at - :age)")
        database.write(lambda connection: connection.execute(age, {"age": timedelta(days=5 * 365)}))
        assert "Runs that were never published: 1;" in milkrun("prune", "--yes")
        with run_query(database, "SELECT kind, state, count(*) FROM run GROUP BY 1, 2") as (_, rows):
            assert list(rows) == [("backfill", "published", 3)]
        with run_query(database, "SELECT count(*) FROM bundle WHERE payload = ''") as (_, rows):
            assert list(rows) == [(2,)]

    assert strangers_settings(pooled) == untouched == {("", "0", "0", "0")}
