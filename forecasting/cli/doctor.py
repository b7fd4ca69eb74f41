"""milkrun doctor: the faults of an installation, with their remedies."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from forecasting.cli.own_flows import require_own_flows
from forecasting.domain.errors import EXIT_DONE, EXIT_ENVIRONMENT

if TYPE_CHECKING:
    from forecasting.operations.diagnostics import Finding

_LEVEL_LABELS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
def doctor(as_json: bool) -> int:
    """Check the installation: database, migrations, rights, space, loads, runs, series, bundles, clock, Prefect.

    Each finding that is not in order comes with its remedy; nothing is written or repaired. The exit code is 0 when there is
    no error (warnings are none), else 3.
    """
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    return EXIT_ENVIRONMENT if any(finding.level == "error" for finding in findings) else EXIT_DONE


def _findings() -> "Iterator[Finding]":
    from forecasting.domain.errors import MilkrunError
    from forecasting.domain.settings import Settings
    from forecasting.operations.diagnostics import Finding, examine

    try:
        settings = Settings.from_environment()
    except MilkrunError as mistake:
        yield Finding("settings", "error", str(mistake), "Correct or unset the variable, then repeat milkrun doctor.")
    else:
        yield from examine(settings)
    yield _prefect_finding()


def _prefect_finding() -> "Finding":
    from forecasting.cli.prefect_server import check_server
    from forecasting.domain.errors import MilkrunError
    from forecasting.operations.diagnostics import Finding

    try:
        require_own_flows()
    except MilkrunError as refusal:
        return Finding("prefect", "error", str(refusal), "Until then milkrun run is refused.")
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return Finding("prefect", "ok", "PREFECT_API_URL is not set: commands run flows in a Prefect of their own.")
    try:
        check_server(url)
    except MilkrunError as failure:
        return Finding("prefect", "error", str(failure), "milkrun serve starts one on this machine.")
    return Finding("prefect", "ok", "The server at PREFECT_API_URL answers.")


def _print(finding: "Finding") -> None:
    click.echo(f"{_LEVEL_LABELS[finding.level]} {finding.check}: {finding.message}")
    if finding.remedy:
        click.echo(f"          {finding.remedy}")
