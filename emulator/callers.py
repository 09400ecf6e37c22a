"""Who calls, by which credential, and what one who is no administrator may call at all.

Owns these lists alone: what may be done with one object lies with its endpoint.
"""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection

from emulator import console_api, fiftyone_api, fiftyone_secrets, fiftyone_trigger, identity, jobs, oauth, runs
from emulator.api import ApiError, Caller, Handler
from emulator.fiftyone_settings import undocumented

# Names that only this machine resolves to itself: any other in Host means that a page was rebound to loopback.
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
NOBODY = Caller("", admin=False)
# These need no credential, or look for one of their own.
OPEN: set[Handler] = {identity.host_metadata, oauth.metadata, oauth.token, fiftyone_trigger.report_operators}
# What everybody may call in the workspace; the endpoints of jobs and runs ask for more, on the job in question.
EVERYBODY: set[Handler] = {
    identity.me,
    jobs.get,
    runs.run_now,
    runs.get,
    runs.list_runs,
    runs.get_output,
    runs.cancel,
}
FIFTYONE: set[Handler] = {handler for _, _, handler in fiftyone_api.ROUTES}
FIFTYONE_ADMINS: set[Handler] = {
    fiftyone_secrets.add_secret,
    fiftyone_secrets.update_secret,
    fiftyone_secrets.delete_secret,
    fiftyone_trigger.refresh,
}


def find(handler: Handler, headers: Mapping[str, str], db: Connection, home: Path, token: str) -> Caller:
    """The caller of an endpoint. Raises ApiError for one who may not call it."""
    if not LOOPBACK.fullmatch(headers.get("host", "")):
        raise ApiError(403, "PERMISSION_DENIED", "This stand-in answers on loopback addresses only.")
    if handler in OPEN:
        return NOBODY
    if handler in console_api.READS | console_api.ACTIONS:
        return _visitor(handler, headers)
    return _key(handler, headers, home) if handler in FIFTYONE else _principal(handler, headers, db, home, token)


def _visitor(handler: Handler, headers: Mapping[str, str]) -> Caller:
    """Of the console, as the user. Browsers say of every POST which page sends it, and only the console's own may."""
    if handler in console_api.ACTIONS and headers.get("origin") != f"http://{headers['host']}":
        raise ApiError(403, "PERMISSION_DENIED", "Only the console's own page may ask for this.")
    return identity.USER


def _principal(handler: Handler, headers: Mapping[str, str], db: Connection, home: Path, token: str) -> Caller:
    """Of the workspace, with the platform's recorded answers to a missing and to a wrong token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise ApiError(401, 401, "Credential was not sent or was of an unsupported type for this API.")
    right = hmac.compare_digest(given.encode(), token.encode())
    caller = identity.USER if right else oauth.holder(db, home, given)
    if caller is None:
        raise ApiError(403, 403, "Invalid access token.")
    if not caller.admin and handler not in EVERYBODY:
        message = f"User {caller.name} is not an admin of this workspace, and this stand-in lets others only run jobs."
        raise ApiError(403, "PERMISSION_DENIED", message)
    return caller


def _key(handler: Handler, headers: Mapping[str, str], home: Path) -> Caller:
    """Of FiftyOne's API."""
    if not hmac.compare_digest(headers.get("x-api-key", "").encode(), (home / fiftyone_api.KEY_FILE).read_bytes()):
        raise ApiError(401, "UNAUTHENTICATED", "The API key is missing or not valid.")
    role = undocumented(home).role
    if handler in FIFTYONE_ADMINS and role != "Admin":
        raise ApiError(403, "PERMISSION_DENIED", f"Only admins may do this, and the key's role is {role}.")
    return Caller("fiftyone", admin=role == "Admin")
