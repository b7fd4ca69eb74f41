"""Every error that Milkrun raises on purpose. The text of an error is the message to the user, with the remedy."""

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
    """A file, a month, an option or a source cannot be used."""


class RecipeError(MilkrunError):
    """A recipe is unknown or its settings contradict each other."""


class BundleError(MilkrunError):
    """A stored bundle is damaged or not of a form this release can read."""


class RunRefused(MilkrunError):
    """A run cannot start, or cannot be published."""


class StatementRefused(MilkrunError):
    """The database refused a statement and would refuse it once more: a right is missing, or a rule of the tables is broken."""


class EnvironmentFailure(MilkrunError):
    """The database, the disk or a service failed. Nothing is marked as bad; the same command may be repeated."""

    exit_code = EXIT_ENVIRONMENT


class PassingFailure(EnvironmentFailure):
    """The database could not be reached, was shut down or had a lock conflict: the same step may succeed a moment later."""
