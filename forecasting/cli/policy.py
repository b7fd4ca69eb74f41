"""milkrun policy: the rules of retraining, reuse and late series."""

import click

from forecasting.cli.options import format_options
from forecasting.cli.output import print_rows


@click.group()
def policy() -> None:
    """Show the rules of retraining, reuse and late series; your own stand in policy.toml of MILKRUN_HOME."""


@policy.command()
@click.argument("series")
@click.option("--recipe", metavar="NAME", help="Recipe of the run (default: MILKRUN_RECIPE, or monthly).")
@format_options
def show(series: str, recipe: str | None, output_format: str) -> None:
    """Show each rule that holds for SERIES, and from where it comes; the name need not be that of a stored series."""
    from forecasting.domain.policy_file import origins_of_values
    from forecasting.domain.recipes import find_recipe
    from forecasting.domain.settings import Settings

    settings = Settings.from_environment()
    name = find_recipe(recipe or settings.recipe, settings.recipes_folder).name
    rows = [[*row] for row in origins_of_values(settings, name, series)]
    print_rows(["rule", "value", "from"], rows, output_format)
