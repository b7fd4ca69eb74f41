"""The fields of the parameter form in the UI: texts and lists that a person can leave empty.

The server checks their types alone. The flow checks what they say, and refuses a wrong month in a sentence.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from forecasting.domain.errors import InputError
from forecasting.domain.recipes import recipe_paths
from forecasting.domain.settings import Settings


def _as_text(value: Any) -> Any:
    """Return the text of a field; commands and Python give None and numbers too."""
    return "" if value is None else str(value) if isinstance(value, int) else value


def _recipe_names() -> list[JsonValue]:
    """Return the recipes that the form offers, those of the machine that deploys; the empty text stands for the settings."""
    return ["", *recipe_paths(Settings.from_environment().recipes_folder)]


MonthText = Annotated[str, BeforeValidator(_as_text), Field(json_schema_extra={"examples": ["1975-12"]})]
NumberText = Annotated[str, BeforeValidator(_as_text), Field(json_schema_extra={"examples": ["3"]})]
RecipeName = Annotated[str, BeforeValidator(_as_text), Field(json_schema_extra={"enum": _recipe_names()})]
SeriesNames = Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())]


def whole_number(text: str, name: str) -> int | None:
    """Return the number that a field holds, None where it is empty; raises InputError naming the field otherwise."""
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise InputError(f"{name} is {text!r}: write a whole number from 0 on, or leave it empty.")
    return int(text)
