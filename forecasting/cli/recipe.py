"""milkrun recipe list, show, check: the settings that decide the numbers."""

import json
from pathlib import Path

import click

from forecasting.cli.options import format_options
from forecasting.cli.output import Row, filled_columns, print_rows


@click.group()
def recipe() -> None:
    """List, show and check recipes; your own are TOML files in the folder `recipes` of MILKRUN_HOME."""


@recipe.command("list")
@format_options
def list_recipes(output_format: str) -> None:
    """List the built-in recipes and your own; a file that is no valid recipe, with its error."""
    from forecasting.domain.errors import RecipeError
    from forecasting.domain.recipes import find_recipe, recipe_paths
    from forecasting.domain.settings import Settings

    folder = Settings.from_environment().recipes_folder
    columns = ["recipe", "from", "horizon", "hash", "error"]
    rows: list[Row] = []
    for name, path in recipe_paths(folder).items():
        location = str(path or "built in")
        try:
            named_recipe = find_recipe(name, folder)
            rows.append([name, location, named_recipe.horizon, named_recipe.hash[:12], None])
        except RecipeError as error:
            rows.append([name, location, None, None, str(error)])
    if output_format == "table":
        columns, rows = filled_columns(columns, rows, columns)
    print_rows(columns, rows, output_format)


@recipe.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show the settings of the recipe NAME, as its own TOML file would give them."""
    from forecasting.domain.recipes import find_recipe
    from forecasting.domain.settings import Settings

    named_recipe = find_recipe(name, Settings.from_environment().recipes_folder)
    if as_json:
        click.echo(json.dumps(named_recipe.settings, indent=2))
        return
    click.echo(
        f"# Save as YOUR_NAME.toml in {Settings.from_environment().recipes_folder}; leave out what stays as it is."
    )
    click.echo(f'base = "{named_recipe.method}"')
    for setting, value in named_recipe.settings.items():
        if setting not in ("name", "method"):
            click.echo(f"{setting} = {json.dumps(value)}")


@recipe.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check the recipe in a TOML FILE."""
    from forecasting.domain.recipes import read_recipe

    named_recipe = read_recipe(file)
    click.echo(f"{file} is a recipe: {named_recipe.name}, hash {named_recipe.hash[:12]}.")
