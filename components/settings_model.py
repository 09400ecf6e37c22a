"""What every part of the settings has in common."""

from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

# Databricks' whole numbers have 32 bits; a larger one fails when most of the stack stands.
MOST: Final = 2**31 - 1


class SettingsModel(BaseModel):
    """What every part of the settings has in common: camelCase keys, no unknown key, no silent conversion."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )
