"""milkrun run: forecast the months after the newest one."""

from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.options import format_options, origin_option, run_options, submit_option
from forecasting.cli.output import print_rows, printable
from forecasting.cli.plan import plan
from forecasting.cli.prefect_server import require_server
from forecasting.cli.prefect_session import prefect_for_commands, progress_bar
from forecasting.domain.errors import EXIT_DONE, EXIT_SOME_SERIES_FAILED
from forecasting.domain.vocabulary import Outcome

if TYPE_CHECKING:
    from forecasting.runs.job import RunSummary


@click.command()
@origin_option
@run_options
@click.option("--dry-run", is_flag=True, help="Only say what would be done: the same as milkrun plan.")
@click.option("--pull/--no-pull", default=True, help="Whether the configured sources are pulled first. [--pull]")
@submit_option
@format_options
@click.pass_context
def run(context: click.Context, /, dry_run: bool, pull: bool, submit: bool, output_format: str, **options: Any) -> int:
    """Pull the configured sources, forecast the months after the newest one and publish the result.

    Repeating it for a month that is published does nothing. Runs the flow `milkrun-monthly`, in a Prefect of its own or on
    the server at PREFECT_API_URL.
    """
    if dry_run:
        context.invoke(plan, output_format=output_format, every_series=False, pull=pull, **options)
        return EXIT_DONE
    parameters = {**flow_parameters(options), "pull": pull}
    if submit:
        submit_run("milkrun-monthly/monthly", parameters, output_format)
        return EXIT_DONE
    with prefect_for_commands():
        from flows.monthly import monthly_forecast

        with progress_bar(f"Run {options['origin'] or 'for the newest month'}"):
            summary = monthly_forecast(**parameters)
    return print_summaries([summary], output_format)


def flow_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a flow, from the options of a command. Prefect takes seconds to start: mistakes are refused before."""
    from forecasting.domain.months import Month
    from forecasting.domain.recipes import find_recipe
    from forecasting.domain.settings import Settings

    for name in ("origin", "start", "end"):
        if options.get(name):
            Month.parse(options[name])
    if options["recipe"]:
        find_recipe(options["recipe"], Settings.from_environment().recipes_folder)
    return {**options, "series": list(options["series"]) or None}


def submit_run(deployment: str, parameters: dict[str, Any], output_format: str) -> None:
    """Ask the server for a run of a deployment, and print the flow run that a worker will take up."""
    require_server("--submit")
    # Fields of the form are texts and lists; one that is left out is empty.
    parameters = {
        name: str(value) if type(value) is int else value for name, value in parameters.items() if value is not None
    }
    with prefect_for_commands(log_lines=False):
        from flows import deployments

        name, flow_run_id = deployments.submit(deployment, parameters)
    print_rows(["flow_run", "id", "deployment"], [[name, flow_run_id, deployment]], output_format)


def print_summaries(summaries: "list[RunSummary]", output_format: str) -> int:
    """Print one row per run and, below a table, each reason with an example; returns the exit code."""
    columns = ["run", "origin", "recipe", "state"]
    rows: list[list[Any]] = [
        [
            summary.run.run_id,
            str(summary.run.request.origin),
            summary.run.request.recipe.name,
            "published" if summary.published_now else "published before: nothing to do",
        ]
        for summary in summaries
    ]
    if output_format == "table":
        for sentence in (sentence for summary in summaries for sentence in summary.other_steps):
            click.echo(printable(sentence))
        counts = [
            ", ".join(f"{count:,} {name}" for name, count in summary.counts.items() if count) for summary in summaries
        ]
        print_rows([*columns, "series"], [[*row, text] for row, text in zip(rows, counts, strict=True)])
        for summary in summaries:
            for outcome, reason, count, example in summary.reasons:
                if outcome != Outcome.FORECAST and summary.published_now:
                    click.echo(f"Run {summary.run.run_id}: {count} {outcome}, {reason}, such as {example}")
    else:
        rows = [[*row, *summary.counts.values()] for row, summary in zip(rows, summaries, strict=True)]
        print_rows([*columns, *summaries[0].counts], rows, output_format)
    return EXIT_SOME_SERIES_FAILED if any(summary.counts[Outcome.FAILED] for summary in summaries) else EXIT_DONE
