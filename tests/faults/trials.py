"""Trials: a story, a fault, what was lost, doubled or half seen; counted against undisturbed work."""

import contextlib
import functools
import itertools
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from sqlalchemy import create_engine as plain_engine
from sqlalchemy.pool import NullPool

from forecasting.storage.db import embedded
from forecasting.storage.db.programs import run_program
from tests.faults import injections, processes, rows
from tests.faults.injections import Inject, Server, Trial
from tests.faults.rows import Lines
from tests.faults.small_disk import mounted
from tests.faults.stories import MONTH, NAIVE, ORDERS, STORIES, Act, Story


@dataclass(frozen=True)
class Fault:
    """A fault, how many trials of it the long form makes, the stories that it meets.

    naive_fails: whether a naive writer must fail under it. small_disk: whether its server has a small disk of its own.
    """

    name: str
    inject: Inject
    trials: int
    stories: tuple[Story, ...] = STORIES
    naive_fails: bool = True
    small_disk: bool = False


FAULTS = (
    Fault("kill -9 at a statement or commit", injections.kill_at_a_moment, 500),
    Fault("kill -9 at any time", injections.kill_at_any_time, 100),
    Fault("immediate restart of the server", injections.restart_the_server, 100),
    Fault("connections ended by the server", injections.end_connections, 50),
    Fault("replies to COMMIT lost", injections.lose_commit_replies, 100),
    Fault("eight at once", injections.eight_at_once, 50),
    Fault("paused, overtaken, continued", injections.pause_and_be_overtaken, 100),
    Fault("tables locked by another session", injections.lock_a_table, 20, STORIES[:4], naive_fails=False),
    Fault("out of memory", injections.run_out_of_memory, 50, naive_fails=False),
    Fault("disk full", injections.fill_the_disk, 100, small_disk=True),
    *(
        Fault(f"{story.name} killed", injections.kill_somewhere, 100, (story,), naive_fails=False)
        for story in (*ORDERS, *MONTH)
    ),
    Fault("pull and delivery, replies to COMMIT lost", injections.lose_commit_replies, 50, MONTH, naive_fails=False),
    Fault("pull and delivery, eight at once", injections.eight_at_once, 50, MONTH, naive_fails=False),
)


@dataclass
class Count:
    """What happened in some trials of one fault."""

    trials: int = 0
    met: int = 0
    lost: int = 0
    doubled: int = 0
    half_seen: int = 0
    unlike: int = 0

    @property
    def failures(self) -> int:
        """Trials that ended in other rows, and looks at half of something."""
        return self.unlike + self.half_seen


@dataclass(frozen=True)
class Undisturbed:
    """What a story leaves where nothing disturbs it; growth: bytes of tables and write-ahead log."""

    template: str
    moments: int
    says: Lines
    before: Lines
    after: Lines
    seconds: float
    growth: int


class World:
    """A server of its own with one template per story, on which trials are made."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count()
        self._known: dict[str, Undisturbed] = {}
        self._templates: dict[tuple[Act, ...], str] = {}

    def undisturbed(self, story: Story) -> Undisturbed:
        """Do a story once without any fault, and once more counting its moments."""
        if story.name not in self._known:
            template = self._template(story.ready)
            before = self._read(template, story.sees) if story.ready else Lines()
            with self._clone(template) as name:
                moments = processes.count_ticks(self.server.of(name), story.act)
            with self._clone(template) as name:
                start, written = time.monotonic(), self._written(name)
                processes.do(self.server.of(name), story.act)
                seconds, growth = time.monotonic() - start, self._written(name) - written
                says, after = self._read(name, story.says), self._read(name, story.sees)
                self._known[story.name] = Undisturbed(template, moments, says, before, after, seconds, growth)
        return self._known[story.name]

    def trial(self, fault: Fault, story: Story, number: int, seed: int, count: Count) -> None:
        """Make one trial and count how it ended."""
        known = self.undisturbed(story)
        with self._clone(known.template) as name:

            def look() -> None:
                if story.ready:
                    seen = self._read(name, story.sees)
                    count.half_seen += any(
                        n not in (known.before.get(part, 0), known.after.get(part, 0)) for part, n in seen.items()
                    )

            draw = random.Random(f"{seed} {fault.name} {story.name} {number}")  # noqa: S311 - the same trial every time
            trial = Trial(self.server, name, story, known.moments, draw, look, known.seconds, known.growth)
            try:
                count.met += fault.inject(trial, number)
            except AssertionError as failure:
                raise AssertionError(f"{fault.name}, {story.name}, trial {number}, seed {seed}: {failure}") from None
            count.trials += 1
            says = self._read(name, story.says)
        count.lost += sum((known.says - says).values())
        count.doubled += sum((says - known.says).values())
        count.unlike += says != known.says

    def _template(self, ready: tuple[Act, ...]) -> str:
        """Return a database on which acts were done; stories that begin alike share the beginning."""
        if ready not in self._templates:
            beginning = self._template(ready[:-1]) if ready[1:] else "template0"
            template = f"template_{len(self._templates)}"
            self._create(template, beginning)
            for act in ready[-1:]:
                processes.do(self.server.of(template), act)
            self._templates[ready] = template
        return self._templates[ready]

    def _create(self, name: str, template: str) -> None:
        """Copy a database, and the page that was written of it."""
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        if rows.page_folder(template).exists():
            shutil.copytree(rows.page_folder(template), rows.page_folder(name))

    def _read(self, name: str, query: object) -> Lines:
        engine = plain_engine(self.server.of(name), poolclass=NullPool)
        with engine.connect() as connection:
            return query(connection)  # type: ignore[operator,no-any-return]

    def _written(self, name: str) -> int:
        with contextlib.closing(psycopg2.connect(self.server.dsn(name))) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database()) + (pg_current_wal_lsn() - '0/0')")
            return int(cursor.fetchone()[0])  # type: ignore[index]

    @contextlib.contextmanager
    def _clone(self, template: str) -> Iterator[str]:
        name = f"trial_{next(self._numbers)}"
        self._create(name, template)
        yield name
        self._sql(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(rows.page_folder(name), ignore_errors=True)

    def _sql(self, statement: str) -> None:
        """Do one statement; a server that has just been restarted may need another moment."""
        for attempt in range(50):
            try:
                with contextlib.closing(psycopg2.connect(self.server.dsn())) as connection:
                    connection.autocommit = True
                    connection.cursor().execute(statement)
                return
            except psycopg2.OperationalError:
                if attempt == 49:
                    raise
                time.sleep(0.1)


Worlds = Callable[[Fault], World]


@contextlib.contextmanager
def running_worlds() -> Iterator[Worlds]:
    """Give a function that returns the world in which a fault is tried; its server is started when it is first wanted."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def world(small_disk: bool) -> World:
            return stack.enter_context(running_world(small_disk=small_disk))

        yield lambda fault: world(fault.small_disk)


@contextlib.contextmanager
def running_world(*, small_disk: bool = False) -> Iterator[World]:
    """Start a server for trials, on a disk of its own where that is to be full."""
    with tempfile.TemporaryDirectory(prefix="milkrun-faults-") as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        if small_disk:
            stack.enter_context(mounted(home, _SMALL_DISK))
            _keep_a_short_log(home)
        with embedded.running_server(home) as url:
            yield World(Server(url, folder))


_SMALL_DISK = 384  # MiB: ten small databases


def _keep_a_short_log(home: Path) -> None:
    """Make a server whose write-ahead log has segments of 1 MiB and few to spare, so that it fills the disk as well."""
    with embedded.running_server(home):
        data = home / "database" / "data"
    run_program("pg_resetwal", "--wal-segsize=1", "-D", data)
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("min_wal_size = '2MB'\nmax_wal_size = '8MB'\n")


def spread(fault: Fault, trials: int, world: World) -> Iterator[tuple[Story, int]]:
    """Divide trials among a fault's stories; where moments are counted, spread evenly over each story's."""
    share = -(-trials // len(fault.stories))
    for story in fault.stories[: max(trials, 1)]:
        moments = world.undisturbed(story).moments
        for number in range(min(share, trials)):
            yield story, number if share >= moments else number * moments // share


def run_all(
    worlds: Worlds, faults: Sequence[Fault], trials: int | None, seed: int
) -> Iterator[tuple[Fault, Count, Count]]:
    """Make so many trials of each fault, as many as it has of its own where None, and a tenth of its control arm."""
    for fault in faults:
        world, real, control = worlds(fault), Count(), Count()
        wanted = fault.trials if trials is None else trials
        for story, number in spread(fault, wanted, world):
            world.trial(fault, story, number, seed, real)
        controls = max(wanted // 10, 10) if fault.naive_fails else 0
        # Where the first trials happened to spare the control arm, others are drawn: one failure shows that the fault bites.
        for number in range(5 * controls):
            if number >= controls and control.failures:
                break
            moment = number % controls * world.undisturbed(NAIVE).moments // controls
            world.trial(fault, NAIVE, moment, seed + number // controls, control)
        yield fault, real, control
