"""milkrun load, pull, sql: data in, queries out."""

import click

COMMANDS: list[click.Command] = []
