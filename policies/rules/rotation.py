"""Rules on the credential that FiftyOne starts jobs with: how long one is in use, and that it has not ended.

Source: guide, "Credential Expiration and Rotation".
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rules.bounds import within
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import number
from rules.values import at, text, whole_number

CREDENTIAL: Final = "pulumi-python:dynamic/databricks:Credential"

PERIOD: Final = Limit(
    name="maxDays",
    default=90,
    parse=number,
    why="Days that a credential is in use; it lasts two such periods and a week, so that none in use ever ends.",
)


def rotation_period(credential: Resource, context: Context) -> Iterator[Finding]:
    """A credential is made anew in time."""
    yield from within(
        at(credential.properties, "rotateAfterDays"),
        name=f"rotateAfterDays of {credential.name}",
        least=1,
        most=context[PERIOD],
        limit=f"rotation-period.maxDays in {context.file}",
        why="whoever got hold of the credential starts jobs for as long as it lasts",
        mend="set `rotateAfterDays` within it",
        urn=credential.urn,
    )


def credential_due(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """A credential is not older than its period; one that this run makes anew has no age yet."""
    for credential in of_type(resources, CREDENTIAL):
        made, days = _time(credential, "madeAt"), whole_number(at(credential.properties, "rotateAfterDays"))
        if (
            made
            and days
            and made + timedelta(days=days) <= context.settings.now
            and not _has_ended(credential, context)
        ):
            yield Finding(
                what=f"{credential.name} is older than {days} days and due for rotation",
                why="this run does not make it anew, and jobs are started with it until it ends",
                mend=f"run `make up STACK={context.settings.stack}`, and look why the scheduled rotation did not",
                urn=credential.urn,
            )


def credential_ended(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """The credential that FiftyOne holds is valid."""
    for credential in of_type(resources, CREDENTIAL):
        if _has_ended(credential, context):
            yield Finding(
                what=f"{credential.name} ended on {text(credential.properties, 'expiresAt')}",
                why="FiftyOne can start no job with it",
                mend=f"run `make rotate STACK={context.settings.stack}`",
                urn=credential.urn,
            )


def _has_ended(credential: Resource, context: Context) -> bool:
    ends = _time(credential, "expiresAt")
    return ends is not None and ends <= context.settings.now


def _time(credential: Resource, name: str) -> datetime | None:
    """A time of the credential's; none where this run makes it anew, or where it is no time."""
    try:
        found = datetime.fromisoformat(text(credential.properties, name))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


RULES: Final = (
    ResourceRule(
        name="rotation-period",
        says="The credential that FiftyOne starts jobs with is made anew in time.",
        types=(CREDENTIAL,),
        check=rotation_period,
        limits=(PERIOD,),
    ),
    StackRule(
        name="credential-due",
        says="That credential is not overdue for rotation.",
        types=(CREDENTIAL,),
        check=credential_due,
        warns=True,
    ),
    StackRule(
        name="credential-ended",
        says="That credential has not ended.",
        types=(CREDENTIAL,),
        check=credential_ended,
    ),
)
