"""What the parameter form of the UI knows beyond a type: the shape of a month, as the server checks it too."""

from typing import Annotated

from pydantic import Field

# In the form's schema only: the flow itself checks months more strictly, and says what is wrong with one.
MonthText = Annotated[str, Field(json_schema_extra={"pattern": r"^\d{4}-(0[1-9]|1[0-2])$", "examples": ["1975-12"]})]
LateMonths = Annotated[int, Field(json_schema_extra={"minimum": 0})]
