"""FiftyOne, as adopting meets it: the client, and the mark by which a person hands a secret over to the stack.

A registration cannot be marked: FiftyOne changes none. One that agrees with the settings down to the job is taken over
by `up` as it stands (fiftyone_provider/registering.py).
"""

from collections.abc import Iterator, Sequence

from adoption.survey import Finding, mark_of
from components.settings import Settings
from fiftyone_provider.client import FiftyOne, FiftyOneError
from fiftyone_provider.management_sdk import ManagementSdk
from fiftyone_provider.mark import Stamped, parsed
from fiftyone_provider.sdk_module import load
from fiftyone_provider.steps import tried_again


def connect(settings: Settings) -> FiftyOne:
    """A client. Changes this process's environment, as the SDK needs it. Raises FiftyOneError."""
    fiftyone = settings.fiftyone
    if fiftyone.api_key is None:
        raise FiftyOneError(
            "fiftyone:apiKey is missing, without which FiftyOne cannot be asked what stands there. Set it in the "
            "stack's configuration, or FIFTYONE_API_KEY in the environment."
        )
    sdk = load(fiftyone.management_module, uri=fiftyone.api_uri, key=fiftyone.api_key.get_secret_value())
    return ManagementSdk(sdk, uri=fiftyone.api_uri, seconds=fiftyone.timeout_seconds)


def unmarked(found: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Instance ids and names of the secrets that are to be handed over."""
    for each in found:
        for key, info in each.secrets.items():
            if not parsed(info.description).mark:
                yield each.instance_id, key


def hand_over(fiftyone: FiftyOne, settings: Settings, instance_id: str, key: str) -> None:
    """Mark a secret as the stack's, unless it was marked since; its value stays. Raises FiftyOneError."""

    def step() -> None:
        found = fiftyone.secret(key)
        if found and not parsed(found.description).mark:
            stamped = Stamped(text=found.description, mark=mark_of(settings, instance_id))
            fiftyone.update_secret(key, None, str(stamped))

    tried_again(step)
