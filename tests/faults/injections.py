"""The faults: each is a function that disturbs one story once, on a database of its own."""

import contextlib
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from forecasting.storage.db import database as sessions
from forecasting.storage.db import embedded
from forecasting.storage.db.programs import run_program
from tests.faults import processes
from tests.faults.processes import GAVE_UP, at, end, ended_by_now, kill_oneself, start, stop_oneself
from tests.faults.proxy import losing_commits
from tests.faults.small_disk import filled
from tests.faults.stories import Story


@dataclass(frozen=True)
class Server:
    """The server of the trials: its URL and folder."""

    url: URL
    folder: str

    @property
    def sockets(self) -> str:
        """The folder of its socket."""
        return str(self.url.query["host"])

    def dsn(self, name: str = "postgres") -> str:
        """Return how a driver connects to one of its databases."""
        return f"host={self.sockets} user=postgres dbname={name}"

    def of(self, name: str) -> URL:
        """Return the URL of one of its databases."""
        return self.url.set(database=name)

    def runs(self) -> bool:
        """Say whether its first process is there."""
        try:
            os.kill(int(Path(self.folder, "database/data/postmaster.pid").read_text().split()[0]), 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return True

    def stand_up(self) -> None:
        """Start it where it fell, and wait until it answers."""
        for attempt in range(100):
            embedded.ensure_running(Path(self.folder))
            try:
                psycopg2.connect(self.dsn()).close()
                return
            except psycopg2.OperationalError:
                if attempt == 99:
                    raise
                time.sleep(0.1)


@dataclass
class Trial:
    """One story on a database of its own; moments: how many a process could be killed at. look: a reader looks now."""

    server: Server
    name: str
    story: Story
    moments: int
    draw: random.Random
    look: Callable[[], None]
    seconds: float  # that the undisturbed work takes
    growth: int  # bytes that it writes

    @property
    def url(self) -> URL:
        """The URL of its database."""
        return self.server.of(self.name)

    def go_on(self) -> None:
        """Do the work again, undisturbed, as the next schedule or a person would."""
        processes.do(self.url, self.story.act)
        self.look()


Inject = Callable[[Trial, int], int]  # the trial and its number; how many faults were met


def kill_at_a_moment(trial: Trial, number: int) -> int:
    """Kill with -9 before or after a statement, a COPY or a commit; trial n takes the n-th moment."""
    ended = end(start(trial.url, trial.story.act, at(number % trial.moments + 1, kill_oneself)))
    assert ended == -signal.SIGKILL, ended
    trial.look()
    trial.go_on()
    return 1


def kill_at_any_time(trial: Trial, _number: int) -> int:
    """Kill with -9 at a random time, in training too."""
    child = start(trial.url, trial.story.act)
    time.sleep(trial.draw.uniform(0, trial.seconds))
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    ended = end(child)
    trial.look()
    trial.go_on()
    return int(ended != 0)


def kill_somewhere(trial: Trial, number: int) -> int:
    """Kill with -9 at a drawn statement or commit, and every other time at any time."""
    return (
        kill_at_any_time(trial, number) if number % 2 else kill_at_a_moment(trial, trial.draw.randrange(trial.moments))
    )


def restart_the_server(trial: Trial, _number: int) -> int:
    """Restart the server, immediately, while the work is going on."""
    child = start(trial.url, trial.story.act)
    time.sleep(trial.draw.uniform(0, trial.seconds))
    busy = int(os.waitpid(child, os.WNOHANG) == (0, 0))
    run_program("pg_ctl", "stop", "-w", "-m", "immediate", "-D", f"{trial.server.folder}/database/data")
    embedded.ensure_running(Path(trial.server.folder))
    if busy:
        _must_end_well(end(child))
    trial.go_on()
    return busy


def end_connections(trial: Trial, _number: int) -> int:
    """Terminate the backends of all its connections every 10 to 50 ms, for a while."""
    child = start(trial.url, trial.story.act)
    cut, until = 0, time.monotonic() + 2 * trial.seconds
    with contextlib.closing(psycopg2.connect(trial.server.dsn())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while time.monotonic() < until:
            time.sleep(trial.draw.uniform(0.01, 0.05))
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [trial.name]
            )
            cut += cursor.fetchone()[0]  # type: ignore[index]
    _must_end_well(end(child))
    trial.look()
    trial.go_on()
    return cut


def lose_commit_replies(trial: Trial, _number: int) -> int:
    """Drop the connection in the place of about every third reply to COMMIT."""

    def doomed(_commit: int) -> bool:
        return trial.draw.random() < 0.34

    with losing_commits(f"{trial.server.sockets}/.s.PGSQL.5432", doomed) as (port, lost):
        through = trial.url.set(host="127.0.0.1", port=port, query={})
        child = start(through, trial.story.act)
        _must_end_well(end(child))
        count = lost.so_far()
    trial.look()
    trial.go_on()
    return count


def eight_at_once(trial: Trial, _number: int) -> int:
    """Do the same in eight processes at the same time."""
    children = [start(trial.url, trial.story.act) for _ in range(8)]
    for child in children:
        _must_end_well(end(child))
    trial.look()
    return 1


def pause_and_be_overtaken(trial: Trial, number: int) -> int:
    """Stop by SIGSTOP at a moment, let another process do the work, continue by SIGCONT."""
    child = start(trial.url, trial.story.act, at(number % trial.moments + 1, stop_oneself), prepare=_impatient)
    os.waitpid(child, os.WUNTRACED)
    other = start(trial.url, trial.story.act, prepare=_impatient)
    _must_end_well(end(other))
    trial.look()
    os.kill(child, signal.SIGCONT)
    _must_end_well(end(child))
    trial.go_on()
    return 1


def lock_a_table(trial: Trial, _number: int) -> int:
    """Take an ACCESS EXCLUSIVE lock on every table in another session, for longer than a statement waits for it."""
    with (
        contextlib.closing(psycopg2.connect(trial.server.dsn(trial.name))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('milkrun', 'public')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        if tables:
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        child = start(trial.url, trial.story.act, prepare=_impatient)
        time.sleep(1.5)
        connection.rollback()
    _must_end_well(end(child))
    trial.look()
    trial.go_on()
    return len(tables)


def run_out_of_memory(trial: Trial, _number: int) -> int:
    """Let the process take only a little more memory than it has."""

    def limit() -> None:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        more = size + trial.draw.randint(0, 12 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (more, more))

    with _silence():
        ended = end(start(trial.url, trial.story.act, prepare=limit))
    trial.look()
    trial.go_on()
    return int(ended != 0)


def fill_the_disk(trial: Trial, number: int) -> int:
    """Leave less room on the server's disk than the work writes; make room when the work, or the server, has ended."""
    room = trial.growth * (number % trial.moments) // trial.moments
    with filled(Path(trial.server.folder), room):
        child = start(trial.url, trial.story.act)
        ended, until = None, time.monotonic() + 2 * trial.seconds + 1
        while ended is None and trial.server.runs() and time.monotonic() < until:
            time.sleep(0.02)
            ended = ended_by_now(child)
        if ended is not None:
            assert ended in (0, GAVE_UP), f"the process ended with {ended}"
            with contextlib.suppress(OperationalError):  # a server that fell does not answer a reader either
                trial.look()
    trial.server.stand_up()
    if ended is None:
        assert end(child) in (0, GAVE_UP)
    trial.look()
    trial.go_on()
    return int(ended != 0)


def _must_end_well(ended: int) -> None:
    assert ended == 0, f"the process ended with {ended}"


def _impatient() -> None:
    """Wait a second where the program waits a minute: the rules are the same, the trial is shorter."""
    sessions._TRANSACTION_SETTINGS |= {"lock_timeout": "1s", "idle_in_transaction_session_timeout": "1s"}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what a dying process says off the screen."""
    screen, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)
