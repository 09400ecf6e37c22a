"""Whether FiftyOne's management SDK is installed and new enough, its API answers, and the key is an admin's.

Loading the SDK changes the environment of this process (fiftyone_provider/sdk_module.py), so this comes last. The words
for what is wrong are the providers' own.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from components.registration import secret_name
from components.settings import Settings
from fiftyone_provider.client import FiftyOneError, UnreachableError
from fiftyone_provider.management_sdk import ManagementSdk
from fiftyone_provider.sdk_module import load
from preflight.result import Result, not_checked, right, wrong, yourself

SDK: Final = "FiftyOne's management SDK"
API: Final = "FiftyOne's API"
ROLE: Final = "FiftyOne's key"
SECONDS: Final = 10.0


def check_fiftyone(settings: Settings, unread: str = "") -> Iterator[Result]:
    """What there is to say of FiftyOne; `unread` says why there is no key, where one is set and cannot be read."""
    fiftyone = settings.fiftyone
    key = fiftyone.api_key.get_secret_value() if fiftyone.api_key else ""
    try:
        sdk = load(fiftyone.management_module, uri=fiftyone.api_uri, key=key)
    except FiftyOneError as error:
        yield _wrong(SDK, error)
        yield not_checked(API, "there is no SDK to ask it with")
    else:
        yield right(SDK, f"{fiftyone.management_module} is installed and has all that this program calls")
        if key:
            yield from _asked(settings, sdk)
        else:
            yield not_checked(API, unread or "there is no key to ask it with")
    yield yourself(
        "FiftyOne's API image has databricks-sdk>=0.53.0, without which it cannot start jobs; it has to be added "
        "(guide, Additional Considerations)"
    )


def _asked(settings: Settings, sdk: Any) -> Iterator[Result]:
    seconds = min(settings.fiftyone.timeout_seconds, SECONDS)
    client = ManagementSdk(sdk, uri=settings.fiftyone.api_uri, seconds=seconds)
    registered: list[str] = []
    try:
        for instance_id in settings.orchestrators:
            client.secret(secret_name("clientSecret", instance_id))
            registered += [instance_id] if client.orchestrator(instance_id) else []
        role = client.role()
    except UnreachableError as error:
        yield _wrong(API, error)
        return
    except FiftyOneError as error:
        yield _wrong(ROLE, error)
        return
    known = f"; registered already: {', '.join(registered)}" if registered else ""
    yield right(API, f"{settings.fiftyone.api_uri} answers and accepts the key{known}")
    if role is None:
        yield not_checked(ROLE, "this SDK does not tell whose key it is (it has no `whoami`)")
    elif role.lower() == "admin":
        yield right(ROLE, "is an admin's")
    else:
        yield wrong(
            ROLE,
            f"has the role {role}, and registering takes the Admin role",
            "give that role to the key's service account, or set another key as `fiftyone:apiKey`",
        )


def _wrong(name: str, error: FiftyOneError) -> Result:
    """The provider's own message, which says how to mend it in its later sentences."""
    said = re.sub(r"^FiftyOne's management SDK, ([\w.]+), |^FiftyOne's API at (\S+) ", r"\1\2 ", str(error))
    what, _, mend = said.partition(". ")
    return wrong(name, what.rstrip("."), mend)
