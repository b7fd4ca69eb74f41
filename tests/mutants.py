"""Take one safeguard out of the program at a time, and see whether a test notices: python -m tests.mutants [--only WORD].

Each mutant is a copy of the working tree in which one text is replaced; the tests named beside it run there until the first
fails. A mutant that survives is a safeguard without a test, or one that nothing needs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COPIED = ("forecasting", "flows", "migrations", "tests", "deploy", "pyproject.toml", "prefect.yaml", "README.md")


@dataclass(frozen=True)
class Mutant:
    """A safeguard, the text that makes it in a file, what stands there instead, and the tests that must notice."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


FAULTS = "tests/faults"
CLAIM = "insert(tables.run_shard).values(run_id=run_id, shard=shard).on_conflict_do_nothing()"
MUTANTS = (
    Mutant(
        "the lock of loads",
        "forecasting/intake/loads.py",
        'connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOAD_LOCK})',
        "pass",
        ("tests/intake/test_loads.py",),
    ),
    Mutant(
        "the lock of migrations",
        "migrations/env.py",
        'connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATE_LOCK})',
        "pass",
        ("tests/storage/db/test_migrations.py",),
    ),
    Mutant(
        "ON CONFLICT of a shard's claim",
        "forecasting/storage/runs.py",
        CLAIM,
        CLAIM.removesuffix(".on_conflict_do_nothing()"),
        ("tests/runs/test_job.py", FAULTS),
    ),
    Mutant(
        "the claim of a shard",
        "forecasting/storage/runs.py",
        "return claimed.rowcount == 1",
        "return True",
        ("tests/runs/test_job.py", FAULTS),
    ),
    Mutant(
        "the as-of filter: loads",
        "forecasting/storage/panels.py",
        "AND load_id <= {int(as_of)} ",
        "",
        ("tests/runs/test_job.py", "tests/runs/test_backfill.py"),
    ),
    Mutant(
        "the as-of filter: months",
        "forecasting/storage/panels.py",
        " AND month <= '{origin.first_day}' ",
        " ",
        ("tests/runs/test_job.py", "tests/runs/test_backfill.py"),
    ),
    Mutant(
        "the accounting check",
        "forecasting/storage/runs.py",
        "    if missing:\n",
        "    if missing and False:\n",
        ("tests/runs/test_job.py",),
    ),
    Mutant(
        "the publish flip",
        "forecasting/storage/runs.py",
        "SET state = 'published', published_at = clock_timestamp()\n            WHERE run_id = :id AND state = 'open'",
        "SET state = state WHERE run_id = :id",
        ("tests/runs/test_job.py",),
    ),
    Mutant(
        "publishing once",
        "forecasting/storage/runs.py",
        "WHERE run_id = :id AND state = 'open'",
        "WHERE run_id = :id",
        ("tests/runs/test_job.py", FAULTS),
    ),
    Mutant(
        "ON CONFLICT of a bundle",
        "forecasting/storage/bundles.py",
        ".on_conflict_do_nothing()",
        "",
        ("tests/runs/test_job.py", "tests/runs/test_resume.py", FAULTS),
    ),
    Mutant(
        "ON CONFLICT of shared networks",
        "forecasting/storage/run_networks.py",
        ".on_conflict_do_nothing()",
        "",
        ("tests/runs/test_global_models.py", FAULTS),
    ),
    Mutant(
        "ON CONFLICT of a recipe",
        "forecasting/storage/runs.py",
        "settings=recipe.settings)\n        .on_conflict_do_nothing()",
        "settings=recipe.settings)",
        ("tests/runs/test_job.py", FAULTS),
    ),
    Mutant(
        "ON CONFLICT of a request",
        "forecasting/storage/runs.py",
        ".on_conflict_do_nothing()\n        .returning",
        ".returning",
        ("tests/runs/test_job.py", FAULTS),
    ),
    Mutant(
        "golden answers",
        "forecasting/models/golden.py",
        "if not (differences <= TOLERANCE).all():",
        "if False:",
        ("tests/models/test_stored_bundles.py",),
    ),
    Mutant(
        "what became of a commit without an answer",
        "forecasting/storage/db/database.py",
        "if transaction_id is not None and self._was_committed(transaction_id, failure):",
        "if transaction_id is not None and False:",
        (f"{FAULTS}/test_faults.py::test_a_load_whose_commit_was_not_answered_is_on_record_once",),
    ),
    Mutant(
        "a network's seed by the name of its series",
        "forecasting/runs/joint_training.py",
        "[panel.names[row] for row in rows]",
        "[str(row) for row in rows]",
        ("tests/runs/test_poison.py",),
    ),
    Mutant(
        "the second of two contradicting values",
        "forecasting/intake/loads.py",
        "max(month) FROM candidate WHERE value = largest",
        "max(month) FROM candidate WHERE value <= largest",
        ("tests/intake/test_frames.py",),
    ),
)


def main() -> int:
    """Try the mutants and print killed / tried; 1 where one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose name holds this")
    only = parser.parse_args().only
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    killed = 0
    for mutant in chosen:
        noticed = notice(mutant)
        killed += bool(noticed)
        print(f"{'killed  ' if noticed else 'SURVIVED'} {mutant.name:45} {noticed}", flush=True)
    print(f"{killed} killed / {len(chosen)} tried")
    return int(killed < len(chosen))


def notice(mutant: Mutant) -> str:
    """Return the first test that fails without the safeguard, or nothing."""
    with tempfile.TemporaryDirectory(prefix="milkrun-mutant-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        file = copy / mutant.file
        plain = file.read_text()
        if plain.count(mutant.text) != 1:
            sys.exit(f"{mutant.file} holds the text of {mutant.name!r} {plain.count(mutant.text)} times, not once.")
        file.write_text(plain.replace(mutant.text, mutant.instead))
        answer = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *mutant.tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": folder, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode == 0:
        return ""
    failures = [line for line in answer.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if not failures:
        sys.exit(f"The tests of {mutant.name!r} could not be run:\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    return failures[0].split(" - ")[0]


if __name__ == "__main__":
    sys.exit(main())
