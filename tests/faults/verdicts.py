"""Whether a series of trials has shown anything, and whether something was wrong in it."""

import sys


def has_failed(name: str, *, trials: int, met: int, failures: int) -> bool:
    """Say whether a series of trials failed: something was wrong, or no trial met its moment, so that nothing was shown.

    met: how many trials were disturbed while their work was going on.
    """
    if trials and not met:
        print(f"{name}: none of {trials} trials met its moment; nothing is shown", file=sys.stderr, flush=True)
    return failures > 0 or met == 0
