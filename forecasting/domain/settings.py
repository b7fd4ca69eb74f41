"""One frozen Settings, read from the environment at the edge of the program."""

import getpass
import os
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forecasting.domain.errors import InputError


@dataclass(frozen=True)
class Settings:
    """The settings of an installation; `from_environment` has the environment variable of every field."""

    home: Path
    database_url: str | None = field(default=None, repr=False)  # it may hold a password
    recipe: str = "monthly"
    shard_size: int = 1000
    late_months: int = 3
    workers: int | None = None
    dask: str | None = None
    timezone: str = "UTC"
    report_url: str | None = None
    arrival_share: float = 0.0
    arrival_deadline: int = 10
    sources: Path | None = None
    deliveries: Path | None = None

    @property
    def recipes_folder(self) -> Path:
        """The folder of the user's own recipes."""
        return self.home / "recipes"

    @property
    def policy_file(self) -> Path:
        """The file with the rules of retraining, reuse and late series."""
        return self.home / "policy.toml"

    @property
    def sources_folder(self) -> Path:
        """The folder of the sources that runs pull."""
        return self.sources or self.home / "sources"

    @property
    def deliveries_folder(self) -> Path:
        """The folder of the targets that published runs are delivered to."""
        return self.deliveries or self.home / "deliveries"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Raises InputError naming the variable and the remedy when one cannot be read.
        """
        environment = os.environ if environment is None else environment
        return cls(
            home=Path(environment["MILKRUN_HOME"]).expanduser() if environment.get("MILKRUN_HOME") else _default_home(),
            database_url=environment.get("DATABASE_URL") or None,
            recipe=environment.get("MILKRUN_RECIPE") or "monthly",
            shard_size=_whole_number(environment, "MILKRUN_SHARD_SIZE", default=1000, least=1),
            late_months=_whole_number(environment, "MILKRUN_LATE_MONTHS", default=3, least=0),
            workers=_whole_number(environment, "MILKRUN_WORKERS", default=0, least=0) or None,
            timezone=_timezone(environment.get("MILKRUN_TIMEZONE") or "UTC"),
            dask=_cluster(environment.get("MILKRUN_DASK") or None),
            arrival_share=_share(environment, "MILKRUN_ARRIVAL_SHARE"),
            arrival_deadline=_whole_number(environment, "MILKRUN_ARRIVAL_DEADLINE", default=10, least=1, most=28),
            sources=_folder(environment, "MILKRUN_SOURCES"),
            deliveries=_folder(environment, "MILKRUN_DELIVERIES"),
            report_url=_web_address(environment.get("MILKRUN_REPORT_URL") or None),
        )


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]).expanduser().absolute() if environment.get(name) else None


def _default_home() -> Path:
    """Return the data folder of the platform; for root a public folder, which the account of the database server can read."""
    if os.geteuid() == 0:
        return Path("/var/lib/milkrun")
    import platformdirs

    return Path(platformdirs.user_data_path("milkrun"))


def _cluster(text: str | None) -> str | None:
    """Check the name of a Dask cluster: `local`, `local:4` or the address of a scheduler."""
    if text is None or re.fullmatch(r"local(:[1-9][0-9]*)?|[a-z]+://[^/]+:[0-9]+", text):
        return text
    raise InputError(
        f"MILKRUN_DASK is {text!r}: set it to local, local:4 (processes) or tcp://scheduler:8786, or unset it."
    )


def _web_address(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"https?://[^\s()<>]+", text):
        return text
    raise InputError(f"MILKRUN_REPORT_URL is {text!r}: set it to a web address, or unset it.")


def _timezone(name: str) -> str:
    if not is_time_zone(name):
        raise InputError(f"MILKRUN_TIMEZONE is {name!r}: set it to a name such as Europe/Berlin, or unset it.")
    return name


def is_time_zone(name: str) -> bool:
    """Return whether there is a time zone of that name."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _share(environment: Mapping[str, str], name: str) -> float:
    text = environment.get(name) or "0"
    if not re.fullmatch(r"\s*(0(\.[0-9]+)?|1(\.0+)?)\s*", text):
        raise InputError(f"{name} is {text!r}: set it to a share from 0 to 1, such as 0.95, or unset it.")
    return float(text)


def _whole_number(
    environment: Mapping[str, str], name: str, *, default: int, least: int, most: int | None = None
) -> int:
    text = environment.get(name) or str(default)
    if not text.strip().isdecimal() or len(text) > 18 or int(text) < least or (most is not None and int(text) > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} is {text!r}: set it to a whole number {limits}, or unset it.")
    return int(text)


def user_name() -> str:
    """Return the name of the user of this process; where the system knows none, as in some containers, its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"


def usable_cores() -> int:
    """Return how many cores this process may use; on systems that do not say so, how many cores there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
