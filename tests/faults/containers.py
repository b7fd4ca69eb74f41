"""Two containers on one data folder: each has its own process numbers, shared memory, network and name.

    python -m tests.faults.containers [--trials N] [--seed N] [--naive]

In each trial one container loads a series of its own and reads for a while, and another loads the first part of the milk
series and then all of it. One of the two is killed with -9, or both, at a random moment. Then the work is repeated in
peace: the observations must be those of undisturbed work. With --naive each container starts a server of its own over the
same data, as PostgreSQL by itself does: that must be noticed.
"""

import argparse
import contextlib
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import forecasting
from tests.faults.verdicts import has_failed

MILK = Path(forecasting.__file__).parent / "examples" / "milk.csv"
_UNSHARE = ("unshare", "--pid", "--ipc", "--net", "--uts", "--fork", "--kill-child", "--mount-proc")
_OBSERVATIONS = """
    SELECT name, month, count(*), array_agg(value ORDER BY load_id) FROM milkrun.observation o JOIN milkrun.series s
    ON s.series_id = o.series_id GROUP BY 1, 2 ORDER BY 1, 2"""
_PROGRAM = "from forecasting.cli import main; main()"
_NAIVE_PROGRAM = f"""
import os, signal, time
from pathlib import Path
from forecasting.storage.db import embedded
own = []
def start_over_another(folder, lock, start=embedded._start):
    start(folder, lock)
    own.append(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
def stop_own(folder, users):
    for process in own:
        os.kill(process, signal.SIGINT)
        while Path(f"/proc/{{process}}/exe").exists():
            time.sleep(0.01)
embedded._has_lock = lambda file: True
embedded._answers = lambda folder, answers=embedded._answers: bool(own) and answers(folder)
embedded._start, embedded._stop_if_unused = start_over_another, stop_own
{_PROGRAM}
"""


def why_not() -> str:
    """Say why no container can be made here; empty where one can."""
    if shutil.which("unshare") is None:
        return "no containers can be made: there is no program unshare"
    answer = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"no containers can be made: {answer.stderr.strip()}" if answer.returncode else ""


@contextlib.contextmanager
def running(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command of Milkrun in a container of its own for the length of the context, and wait for its end."""
    with _start(home, _chain(_PROGRAM, list(arguments))) as process:
        yield process


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of Milkrun in a container of its own."""
    return subprocess.run(
        _chain(_PROGRAM, list(arguments)), env=_environment(home), capture_output=True, text=True, check=False
    )


def _start(home: Path, command: list[str]) -> "subprocess.Popen[str]":
    output = subprocess.DEVNULL
    return subprocess.Popen(command, env=_environment(home), stdout=output, stderr=output, text=True)


def wait_for_the_server(home: Path) -> None:
    """Wait until the server of a data folder has a socket."""
    deadline = time.monotonic() + 60
    while not (home / "database" / "socket" / ".s.PGSQL.5432").exists():
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)


def count_observations(home: Path) -> int:
    """Return the number of observations on record."""
    answer = run(home, "sql", "SELECT count(*) FROM milkrun.observation", "--csv")
    assert answer.returncode == 0, answer.stderr
    return int(answer.stdout.split()[-1])


def _environment(home: Path) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "PREFECT_API_URL")}
    return {**environment, "MILKRUN_HOME": str(home)}


def _write_beginning(folder: Path) -> Path:
    """Write the first hundred months of the milk series."""
    file = folder / "milk.csv"
    file.write_text("\n".join(MILK.read_text().splitlines()[:101]) + "\n")
    return file


def _digest(home: Path) -> str:
    answer = run(home, "sql", _OBSERVATIONS, "--csv")
    return answer.stdout if answer.returncode == 0 else f"no rows: {answer.stderr}"


def _write_other_series(folder: Path) -> Path:
    file = folder / "other.csv"
    file.write_text(
        "series,month,value\n" + "".join(f"s{n},{2000 + n % 20}-{1 + n % 12:02},{n}\n" for n in range(20_000))
    )
    return file


def _chain(program: str, *commands: list[str]) -> list[str]:
    """Return the command line that runs commands of Milkrun one after the other in a container."""
    words = " && ".join(shlex.join([sys.executable, "-c", program, *command]) for command in commands)
    return [*_UNSHARE, "bash", "-c", f"hostname container-{commands[0][0]}; {words}"]


def _play(draw: random.Random, home: Path, files: list[Path], program: str) -> tuple[bool, str]:
    """Play one trial; returns whether a container was killed that still ran, and the observations after the work in peace."""
    other, *own = (["load", str(file)] for file in files)
    keeper = _start(home, _chain(program, other, ["sql", f"SELECT pg_sleep({draw.uniform(0, 3)})"], other))
    time.sleep(draw.uniform(0, 1.5))
    worker = _start(home, _chain(program, *own))
    time.sleep(draw.uniform(0, 3))
    has_met = False
    for victim in draw.choice([[keeper], [worker], [keeper, worker]]):
        has_met = has_met or victim.poll() is None
        victim.kill()  # the end of the first process of a container ends all of it
    for process in (keeper, worker):
        process.wait()
    for file in files:
        if (answer := run(home, "load", str(file))).returncode != 0:
            return has_met, answer.stderr
    return has_met, _find_damage((home / "database" / "data" / "log").read_text()) or _digest(home)


def _find_damage(log: str) -> str:
    """Return a line of a server's log that tells of damage, or nothing.

    A server whose data another one changes ends by an error of its own; the trials themselves kill with signal 9. The shell by
    which a server stops itself may get its SIGTERM: "child process was terminated by signal 15" tells of no damage.
    """
    damage = re.search(r".*(PANIC|\(PID \d+\) was terminated by signal (?!9:)).*", log)
    return damage.group() if damage else ""


def main() -> int:
    """Play the trials and print how many differ from undisturbed work; 1 where one does, or where none was met by a kill."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.containers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--naive", action="store_true", help="the control arm, which must fail")
    options = parser.parse_args()
    if reason := why_not():
        print(f"Not tried: {reason}")
        return 0
    met = different = 0
    with tempfile.TemporaryDirectory(prefix="milkrun-containers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        files = [_write_other_series(folder), _write_beginning(folder), MILK]
        for file in files:
            run(folder / "undisturbed", "load", str(file))
        undisturbed = _digest(folder / "undisturbed")
        assert undisturbed.count("\n") > 20_000, undisturbed
        for number in range(options.trials):
            draw = random.Random(f"{options.seed} {number}")  # noqa: S311 - no secret
            has_met, observations = _play(
                draw, folder / f"trial-{number}", files, _NAIVE_PROGRAM if options.naive else _PROGRAM
            )
            met += has_met
            if observations != undisturbed:
                different += 1
                print(f"Trial {number} differs: {observations.strip().splitlines()[-1:]}", flush=True)
            shutil.rmtree(folder / f"trial-{number}", ignore_errors=True)
    print(f"two containers: {options.trials} trials (seed {options.seed}), {met} met, {different} different")
    return int(has_failed("two containers", trials=options.trials, met=met, failures=different))


if __name__ == "__main__":
    sys.exit(main())
