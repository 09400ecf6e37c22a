"""OAuth secrets of service principals: made, listed and deleted at workspace level, of which only hashes are kept.

Owns their limits and their lives. Sources: docs.databricks.com/api/workspace/serviceprincipalsecretsproxy and
docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m.
"""

import hashlib
import re
import secrets
import sqlite3
from pathlib import Path
from typing import Any

from emulator import clock
from emulator.api import ApiError, Body, Call, Route, invalid, missing
from emulator.service_principals import stored

MAX_SECRETS = 5
MAX_LIFETIME_SECONDS = 730 * 24 * 3600
LIFETIME = re.compile(r"([0-9]{1,12})s")
# Documented: an OAuth secret begins so.
PREFIX = "dose"
UNENDED = "SELECT * FROM oauth_secrets WHERE principal = ? AND expires_ms > ?"


class NewSecret(Body):
    lifetime: str | None = None
    scopes: list[str] | None = None


def digest(secret: str | bytes) -> str:
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()


def hashes(db: sqlite3.Connection, home: Path, principal: int) -> list[str]:
    """Of the secrets that a service principal can sign in with now."""
    return [row["hash"] for row in db.execute(UNENDED, (principal, clock.now_ms(home)))]


def _lifetime(text: str) -> int:
    """In seconds. Raises ApiError."""
    found = LIFETIME.fullmatch(text)
    if found is None or not 0 < int(found[1]) <= MAX_LIFETIME_SECONDS:
        raise invalid(f"Invalid lifetime: it is given in seconds as NNNNs, and at most {MAX_LIFETIME_SECONDS}s.")
    return int(found[1])


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    created = clock.shown(row["created_ms"])
    return {
        "id": row["id"],
        "secret_hash": row["hash"],
        "create_time": created,
        "update_time": created,
        "expire_time": clock.shown(row["expires_ms"]),
        "status": "ACTIVE",
    }


def create(call: Call) -> dict[str, Any]:
    """The one answer that has the secret."""
    principal, new = stored(call)["id"], call.read(NewSecret)
    seconds = MAX_LIFETIME_SECONDS if new.lifetime is None else _lifetime(new.lifetime)
    if set(new.scopes or []) - {"all-apis"}:
        raise invalid("Scopes other than all-apis are not part of this stand-in.")
    now = clock.now_ms(call.home)
    if len(call.db.execute(UNENDED, (principal, now)).fetchall()) >= MAX_SECRETS:
        message = f"A service principal can have at most {MAX_SECRETS} OAuth secrets: delete one first."
        raise ApiError(400, "RESOURCE_LIMIT_EXCEEDED", message)
    made = PREFIX + secrets.token_hex(16)
    secret_id = secrets.token_hex(16)
    call.db.execute(
        "INSERT INTO oauth_secrets (id, principal, hash, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?)",
        (secret_id, principal, digest(made), now, now + seconds * 1000),
    )
    return _shown(_found(call, principal, secret_id)) | {"secret": made}


def list_all(call: Call) -> dict[str, Any]:
    """In the order of their making, without those that have ended."""
    principal = stored(call)["id"]
    size, after = call.query.get("page_size", "0"), call.query.get("page_token") or "0"
    if not (size.isdecimal() and after.isdecimal()):
        raise invalid("Invalid page_size or page_token.")
    query, values = f"{UNENDED} AND number > ? ORDER BY number", (principal, clock.now_ms(call.home), int(after))
    rows = call.db.execute(query, values).fetchall()
    page = rows[: int(size) or len(rows)]
    answer: dict[str, Any] = {"secrets": [_shown(row) for row in page]} if page else {}
    return answer | ({"next_page_token": str(page[-1]["number"])} if len(rows) > len(page) else {})


def _found(call: Call, principal: int, secret_id: str) -> sqlite3.Row:
    query = "SELECT * FROM oauth_secrets WHERE principal = ? AND id = ?"
    if (row := call.db.execute(query, (principal, secret_id)).fetchone()) is None:
        raise missing(f"Secret {secret_id} of service principal {principal} does not exist.")
    return row


def delete(call: Call) -> None:
    """Nobody signs in with it any more; tokens that it gave last as long as they would have."""
    row = _found(call, stored(call)["id"], call.path["secret_id"])
    call.db.execute("DELETE FROM oauth_secrets WHERE number = ?", (row["number"],))


PATH = "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets"
ROUTES: list[Route] = [
    ("POST", PATH, create),
    ("GET", PATH, list_all),
    ("DELETE", f"{PATH}/{{secret_id}}", delete),
]
