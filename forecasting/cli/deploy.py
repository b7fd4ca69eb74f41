"""milkrun deploy: Milkrun in a Prefect server."""

from functools import partial
from pathlib import Path

import click

from forecasting.cli.options import format_options, notify_option
from forecasting.cli.output import print_rows
from forecasting.cli.prefect_server import require_server
from forecasting.cli.prefect_session import prefect_for_commands


@click.command()
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A prefect.yaml of your own (default: the one of this release).",
)
@notify_option
@click.option(
    "--stuck-after",
    type=click.IntRange(90),
    default=180,
    show_default=True,
    metavar="SECONDS",
    help="A run without a sign of life for so long is called crashed.",
)
@format_options
def deploy(file: Path | None, notify: tuple[str, ...], stuck_after: int, output_format: str) -> None:
    """Apply work pool, deployments, schedules and automations to the server at PREFECT_API_URL.

    It may be repeated: there is always one of each, and what was paused by hand stays paused. Deployments that an earlier
    state of Milkrun left under the flows `monthly` and `backfill` are replaced.
    """
    require_server("milkrun deploy")
    with prefect_for_commands(log_lines=False):
        from flows.deployments import deploy as apply
        from flows.deployments import packaged_file
        from forecasting.domain.settings import Settings

        deployments = apply(
            Settings.from_environment(),
            file or packaged_file(),
            announce=partial(click.echo, err=True),
            notify=notify,
            stuck_after=stuck_after,
        )
    rows = [[one.name, one.schedule, "paused" if one.paused else "active"] for one in deployments]
    print_rows(["deployment", "schedule", "state"], rows, output_format)
    if output_format == "table" and not notify:
        click.echo("Nobody is told of failed runs: name a notification block with --notify or MILKRUN_NOTIFY.")
