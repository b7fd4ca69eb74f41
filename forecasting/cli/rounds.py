"""milkrun plan, run, backfill, status: the monthly round."""

import click

COMMANDS: list[click.Command] = []
