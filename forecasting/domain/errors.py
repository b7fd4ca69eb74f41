"""Every error that Milkrun raises on purpose: its text is the message to the reader, with the remedy."""

EXIT_DONE = 0
EXIT_OVERDUE = 1  # of milkrun status --check only
EXIT_SOME_SERIES_FAILED = 2
EXIT_ENVIRONMENT = 3
EXIT_REFUSED = 4
EXIT_INTERRUPTED = 130


class MilkrunError(Exception):
    """The command was refused: the message says what is wrong, where, and what to do."""

    exit_code = EXIT_REFUSED


class InputError(MilkrunError):
    """A file, a month, an option or a source that was given cannot be used."""


class RecipeError(MilkrunError):
    """A recipe is unknown or its settings contradict each other."""


class BundleError(MilkrunError):
    """A stored bundle is damaged or not of a form this release can read."""


class RunRefused(MilkrunError):
    """A run cannot start or cannot be published as asked."""


class StatementRefused(MilkrunError):
    """The database refused a statement and would refuse it again: a right is missing, or a rule of the tables broken."""


class EnvironmentFailure(MilkrunError):
    """The database, the disk or a service failed: nothing is marked bad, the same command may be repeated."""

    exit_code = EXIT_ENVIRONMENT


class PassingFailure(EnvironmentFailure):
    """The database was not there, shut down, or in another's way: the same step may succeed a moment later."""
