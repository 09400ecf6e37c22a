"""OAuth for service principals: client credentials, exchanged for access tokens that last an hour.

Owns the tokens, of which only hashes are kept. A service principal signs in with any of its secrets; the one that every
workspace has also with what a file of the home folder holds, read at every exchange, so that another one written there
is a rotated one. Source: docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from emulator import clock, oauth_secrets, service_principals
from emulator.api import ApiError, Call, Caller, Route
from emulator.store import APPLICATION_ID

SECRET_FILE = "service-principal-secret"
LIFETIME_SECONDS = 3600
SCOPE = "all-apis"


class OAuthError(ApiError):
    """A refusal as OAuth writes it (RFC 6749, 5.2)."""

    def content(self) -> dict[str, Any]:
        return {"error": self.error_code, "error_description": self.message}


def metadata(call: Call) -> dict[str, Any]:
    """Where clients find the rest; nobody signs in here, so there is no page behind `authorization_endpoint`."""
    base = f"{call.base_url}/oidc"
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/v1/authorize",
        "token_endpoint": f"{base}/v1/token",
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": [SCOPE],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def token(call: Call) -> dict[str, Any]:
    """An access token for a service principal's id and secret."""
    form = dict(parse_qsl(call.body.decode(errors="replace")))
    client_id, secret = _basic(call.headers.get("authorization", "")) or (
        form.get("client_id", ""),
        form.get("client_secret", ""),
    )
    principal = _signed_in(call, client_id, secret)
    if principal is None:
        raise OAuthError(401, "invalid_client", "Client authentication failed")
    if form.get("grant_type") != "client_credentials":
        raise OAuthError(400, "unsupported_grant_type", "Only client_credentials is part of this stand-in")
    if form.get("scope") != SCOPE:
        raise OAuthError(400, "invalid_scope", f"Only {SCOPE} is part of this stand-in")
    now, made = clock.now_ms(call.home), secrets.token_urlsafe(32)
    call.db.execute("DELETE FROM access_tokens WHERE expires_ms <= ?", (now,))
    call.db.execute(
        "INSERT INTO access_tokens VALUES (?, ?, ?)", (_hash(made), principal, now + LIFETIME_SECONDS * 1000)
    )
    return {"access_token": made, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS, "scope": SCOPE}


def holder(db: sqlite3.Connection, home: Path, access_token: str) -> Caller | None:
    """Whose token it is, while it lasts and its service principal is active."""
    query = (
        "SELECT p.application_id FROM access_tokens t JOIN service_principals p ON p.id = t.principal"
        " WHERE t.hash = ? AND t.expires_ms > ?"
    )
    row = db.execute(query, (_hash(access_token), clock.now_ms(home))).fetchone()
    if row is None or service_principals.find(db, row["application_id"]) is None:
        return None
    return Caller(row["application_id"], admin=False)


def _signed_in(call: Call, client_id: str, secret: str) -> int | None:
    """The number of the service principal whose id and secret these are."""
    if (row := service_principals.find(call.db, client_id)) is None:
        return None
    hashes = oauth_secrets.hashes(call.db, call.home, row["id"])
    if client_id == APPLICATION_ID:
        hashes.append(oauth_secrets.digest((call.home / SECRET_FILE).read_bytes()))
    given = oauth_secrets.digest(secret)
    # Every one is compared, so that the time it takes tells nothing of which was right.
    right = [hmac.compare_digest(given, known) for known in hashes]
    return row["id"] if any(right) else None


def _basic(authorization: str) -> tuple[str, str] | None:
    """Id and secret of HTTP Basic, if that was sent."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _hash(access_token: str) -> bytes:
    return hashlib.sha256(access_token.encode()).digest()


ROUTES: list[Route] = [
    ("GET", "/oidc/.well-known/oauth-authorization-server", metadata),
    ("POST", "/oidc/v1/token", token),
]
