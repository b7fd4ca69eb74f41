"""milkrun report: the page of a run."""

from pathlib import Path

import click


@click.command()
@click.option("--run", "run_id", type=int, metavar="ID", help="A published run (default: the newest).")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder to write into. [report-ID]",
)
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def report(run_id: int | None, folder: Path | None, open_it: bool, as_json: bool) -> None:
    """Write the page of a run: every series with its chart, its decision and its RMSE history.

    The page needs neither a network nor a server: open index.html, or send the folder. `index.html#series=milk` is the
    address of a series.
    """
    import json

    from forecasting.domain.settings import Settings
    from forecasting.operations.run_report import report_run
    from forecasting.storage.db.schema import open_migrated_database

    with open_migrated_database(Settings.from_environment()) as database:
        page = report_run(database, run_id, folder)
    click.echo(json.dumps({"page": str(page.resolve())}) if as_json else page)
    if open_it:
        click.launch(page.resolve().as_uri())
