"""Who has which role on a service principal: rule sets, read and replaced as a whole.

Owns the etags, and what a role is needed for: `roles/servicePrincipal.user` to let jobs run as the service principal,
which its manager has not thereby. The stand-in's user is an administrator of the account too, who may always read and
replace; the account's groups are not part of the stand-in. Source: databricks.sdk, AccountAccessControlProxyAPI.
"""

import base64
import json
import re
import sqlite3
from typing import Annotated, Any

from pydantic import Field

from emulator.api import ApiError, Body, Call, Caller, Route, invalid, missing, only
from emulator.identity import ACCOUNT_ID
from emulator.store import MANAGER, ME

USER = "roles/servicePrincipal.user"
NAME = re.compile(r"accounts/([^/]+)/servicePrincipals/([^/]+)/ruleSets/default")
Principal = Annotated[str, Field(pattern=r"^(users|groups|servicePrincipals)/.+$")]


class GrantRule(Body):
    role: Annotated[str, only(f"{MANAGER} {USER}")]
    principals: list[Principal] | None = None


class RuleSet(Body):
    name: str
    etag: str
    grant_rules: list[GrantRule] | None = None


class Update(Body):
    name: str
    rule_set: RuleSet


def may_run_as(principal: sqlite3.Row, caller: Caller) -> bool:
    """Whether a caller may have jobs run as a service principal."""
    name = f"users/{ME}" if caller.admin else f"servicePrincipals/{caller.name}"
    return any(rule["role"] == USER and name in rule["principals"] for rule in json.loads(principal["grant_rules"]))


def _stored(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    found = NAME.fullmatch(name)
    if found is None:
        raise invalid(f"Invalid rule set name: {name}. This stand-in has those of service principals alone.")
    query = "SELECT * FROM service_principals WHERE application_id = ?"
    row = db.execute(query, (found[2],)).fetchone() if found[1] == ACCOUNT_ID else None
    if row is None:
        raise missing(f"Rule set {name} does not exist.")
    return row


def _etag(row: sqlite3.Row) -> str:
    return base64.b64encode(f"{row['id']}/{row['rules_version']}".encode()).decode()


def _shown(row: sqlite3.Row, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"name": name, "etag": _etag(row)}
    rules: list[dict[str, Any]] = json.loads(row["grant_rules"])
    return answer | ({"grant_rules": rules} if rules else {})


def get(call: Call) -> dict[str, Any]:
    """As it is now, which is as fresh as any etag asks for."""
    name = call.need("name")
    if "etag" not in call.query:
        raise invalid("Missing required field: etag")
    return _shown(_stored(call.db, name), name)


def put(call: Call) -> dict[str, Any]:
    """Replace every rule, for one who has seen the last ones."""
    update = call.read(Update)
    if update.rule_set.name != update.name:
        raise invalid("The name of the rule set differs from the one in rule_set.")
    row = _stored(call.db, update.name)
    if not update.rule_set.etag:
        # Documented: "an empty etag can only be used in GET".
        raise invalid("Missing required field: rule_set.etag")
    if update.rule_set.etag != _etag(row):
        # Recorded.
        raise ApiError(409, "RESOURCE_CONFLICT", "Conflict with another RuleSet operation")
    rules = [
        {"role": rule.role, "principals": rule.principals}
        for rule in update.rule_set.grant_rules or []
        if rule.principals
    ]
    call.db.execute(
        "UPDATE service_principals SET grant_rules = ?, rules_version = rules_version + 1 WHERE id = ?",
        (json.dumps(rules), row["id"]),
    )
    return _shown(_stored(call.db, update.name), update.name)


PATH = "/api/2.0/preview/accounts/access-control/rule-sets"
ROUTES: list[Route] = [("GET", PATH, get), ("PUT", PATH, put)]
