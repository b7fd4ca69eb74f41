"""milkrun report: the page of a run."""

import json
from pathlib import Path

import click

from forecasting.cli.database import configured_database


@click.command()
@click.option("--run", "run_id", type=int, metavar="ID", help="A published run (default: the newest).")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder to write into. [report-ID]",
)
@click.option("--open", "opens_browser", is_flag=True, help="Open it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def report(run_id: int | None, folder: Path | None, opens_browser: bool, as_json: bool) -> None:
    """Write the page of a run: every series with its chart, its decision and its RMSE history.

    The page needs neither a network nor a server: open index.html, or send the folder. `index.html#series=milk` is the
    address of a series.
    """
    from forecasting.operations.run_report import report_run

    with configured_database() as database:
        page = report_run(database, run_id, folder)
    click.echo(json.dumps({"page": str(page.resolve())}) if as_json else page)
    if opens_browser:
        click.launch(page.resolve().as_uri())
