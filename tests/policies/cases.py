"""Resources of a stack that keeps all rules, as plain data, and what a rule finds in a changed one."""

import base64
import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rules.access import PERMISSIONS, SCOPE
from rules.catalogue import RULES
from rules.clusters import JOB, POOL
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackSettings
from rules.registration import ORCHESTRATOR
from rules.requirements import FILE
from rules.rotation import CREDENTIAL
from rules.secrets import GUIDE_KEYS, SECRETS
from rules.values import UNKNOWN

REMOVED = object()
NOW = datetime(2026, 1, 31, tzinfo=UTC)
FOLDER = "/Shared/fiftyone-dev"
REQUIREMENTS = "fiftyone==2.13.1\ntorch\nopencv-python<4.13.0.90\nopencv-python-headless<4.13.0.90\n"


def pool(role: str = "execution", **changes: Any) -> Resource:
    properties = {
        "nodeTypeId": "g2-standard-8" if role == "execution" else "c3-standard-4-lssd",
        "minIdleInstances": 0.0,
        "maxCapacity": 20.0 if role == "execution" else 2.0,
        "idleInstanceAutoterminationMinutes": 15.0,
        "preloadedSparkVersions": ["16.4.x-scala2.13"],
        "id": UNKNOWN,
    }
    return Resource(type=POOL, name=f"gpu-{role}", urn=f"pool-{role}", properties=changed(properties, changes))


def cluster(**changes: Any) -> dict[str, Any]:
    properties = {
        "sparkVersion": "16.4.x-scala2.13",
        "sparkEnvVars": {
            "API_URL": "https://fiftyone.example.com/api",
            "FIFTYONE_DATABASE_URI": "{{secrets/fiftyone-dev/FIFTYONE_DATABASE_URI}}",
            "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
            "PIP_EXTRA_INDEX_URL": "{{secrets/fiftyone-dev/FIFTYONE_PYPI_URL}}",
        },
        "instancePoolId": UNKNOWN,
        "driverInstancePoolId": UNKNOWN,
        "dataSecurityMode": "DATA_SECURITY_MODE_DEDICATED",
        "numWorkers": 1.0,
    }
    return changed(properties, changes)


def environment(**variables: Any) -> dict[str, Any]:
    return changed(cluster()["sparkEnvVars"], variables)


def task(key: str = "execute_task", on: str = "execution", **changes: Any) -> dict[str, Any]:
    properties = {
        "taskKey": key,
        "jobClusterKey": on,
        "libraries": [{"requirements": f"/Workspace{FOLDER}/gpu-requirements.txt"}],
    }
    return changed(properties, changes)


def job(
    *,
    execution: Mapping[str, Any] | None = None,
    registration: Mapping[str, Any] | None = None,
    pools: Sequence[Resource] = (),
    name: str = "gpu",
    **changes: Any,
) -> Resource:
    """A job; `execution` and `registration` are changes of its clusters, or none for both of them alike."""
    properties = {
        "maxConcurrentRuns": 3.0,
        "queue": {"enabled": True},
        "jobClusters": [
            {"jobClusterKey": "execution", "newCluster": cluster(**(execution or {}))},
            {"jobClusterKey": "registration", "newCluster": cluster(**(registration or {}))},
        ],
        "tasks": [task(), task("register_task", "registration")],
        "id": UNKNOWN,
    }
    return Resource(
        type=JOB,
        name=name,
        urn=f"job-{name}",
        properties=changed(properties, changes),
        depends_on={"jobClusters": pools or (pool(), pool("registration"))},
    )


def both(**changes: Any) -> Resource:
    """A job with both of its clusters changed alike."""
    return job(execution=changes, registration=changes)


def permissions(level: Any = "CAN_MANAGE_RUN", *, of: Resource | None = None, **changes: Any) -> Resource:
    entry = {"servicePrincipalName": "5ad3c0de", "permissionLevel": level}
    properties = {"jobId": UNKNOWN, "accessControls": [changed(entry, changes)]}
    return Resource(type=PERMISSIONS, name="gpu-job", properties=properties, depends_on={"jobId": [of or job()]})


def secret(key: str, scope: str = "fiftyone-dev") -> Resource:
    return Resource(type=SECRETS[0], name=key, properties={"scope": scope, "key": key, "value": "hidden-value"})


def credential(**changes: Any) -> Resource:
    properties = {
        "principalId": "1001",
        "rotateAfterDays": 60.0,
        "madeAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2026-05-08T00:00:00Z",
        "value": "hidden-value",
    }
    return Resource(type=CREDENTIAL, name="credential", urn="credential", properties=changed(properties, changes))


def orchestrator(*, job_id: Any = UNKNOWN, of: Sequence[Resource] | None = None, **changes: Any) -> Resource:
    properties = {
        "instanceId": "gpu-a",
        "environment": "databricks",
        "config": {"jobId": job_id, "executionTaskId": "execute_task", "registrationTaskId": "register_task"},
        "secrets": {
            "host": "HOST_GPU_A",
            "accountId": "ACCOUNT_ID_GPU_A",
            "clientId": "CLIENT_ID_GPU_A",
            "clientSecret": "CLIENT_SECRET_GPU_A",
        },
        "existingSecrets": [],
    }
    sources = [job()] if of is None else of
    return Resource(
        type=ORCHESTRATOR, name="gpu-a", properties=changed(properties, changes), depends_on={"config": sources}
    )


def requirements(text: str = REQUIREMENTS, **changes: Any) -> Resource:
    properties = {"path": f"{FOLDER}/gpu-requirements.txt", "contentBase64": base64.b64encode(text.encode()).decode()}
    return Resource(type=FILE, name="gpu-requirements.txt", properties=changed(properties, changes))


def stack() -> list[Resource]:
    """All resources of a stack that keeps every rule."""
    scope = Resource(type=SCOPE, name="scope", properties={"name": "fiftyone-dev"})
    made = [pool(), pool("registration"), job(), permissions(), orchestrator(), requirements(), scope, credential()]
    return [*made, *(secret(key) for key in GUIDE_KEYS)]


def changed(properties: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**copy.copy(dict(properties)), **changes}
    return {name: value for name, value in merged.items() if value is not REMOVED}


def found(
    rule: str,
    *resources: Resource,
    limits: Mapping[Limit[Any], Any] | None = None,
    **settings: Any,
) -> list[Finding]:
    """What a rule finds in resources."""
    context = Context(StackSettings(**{"now": NOW, **settings}), limits or {})
    chosen = next(one for one in RULES if one.name == rule)
    if isinstance(chosen, ResourceRule):
        return [finding for resource in resources for finding in chosen.check(resource, context)]
    return list(chosen.check(resources, context))


def accepts(rule: str, *resources: Resource, **how: Any) -> bool:
    return found(rule, *resources, **how) == []


def refuses(rule: str, *resources: Resource, **how: Any) -> str:
    """The one message of a rule on what it must refuse."""
    findings = found(rule, *resources, **how)
    assert len(findings) == 1, findings
    assert not findings[0].later
    assert findings[0].why
    assert findings[0].mend
    assert "hidden" not in findings[0].message
    return findings[0].message


def leaves(rule: str, *resources: Resource, **how: Any) -> str:
    """The one message of a rule on what it leaves to the update."""
    findings = found(rule, *resources, **how)
    assert len(findings) == 1, findings
    assert findings[0].later
    return findings[0].message
