"""What FiftyOne's documentation leaves open, a field a question: `fiftyone.json` in the home folder chooses.

Read at every call, so that a test changes its mind without a restart. Without the file the defaults hold.
"""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from emulator.api import ApiError, Body

FILE = "fiftyone.json"


class Undocumented(Body):
    # Of the API key's owner.
    role: Literal["Admin", "Member"] = "Admin"
    # Whether the secrets that an orchestrator refers to go with it.
    delete_orchestrator: Literal["keeps_secrets", "deletes_secrets"] = "keeps_secrets"
    register_existing: Literal["refused", "replaces"] = "refused"
    # Whether the config reads back under its environment as it was given, and in which case.
    config_shape: Literal["nested", "flat"] = "nested"
    config_case: Literal["camel", "snake"] = "camel"
    environment: Literal["string", "enum"] = "string"
    list_secrets: Literal["names", "documents"] = "names"
    operators_before_refresh: Literal["none", "empty"] = "empty"
    # The same for the secrets that a registration adds.
    add_existing_secret: Literal["refused", "overwrites"] = "refused"
    # The exception of the functions for secrets.
    secret_refusal: Literal["ValueError", "RuntimeError"] = "ValueError"
    empty_description: Literal["clears", "ignored"] = "clears"


def undocumented(home: Path) -> Undocumented:
    """The choices as they are now. Raises ApiError for a file that cannot be read."""
    file = home / FILE
    try:
        return Undocumented.model_validate_json(file.read_bytes()) if file.exists() else Undocumented()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise ApiError(500, "INVALID_SETTINGS", f"{FILE} in the stand-in's home: {problems}") from None
