"""Rules on access: what is allowed and what refused, missing and unknown."""

from typing import Any

import pytest

from rules.access import EVERYONE, GRANTS, PERMISSIONS, SCOPE
from rules.model import Resource
from rules.values import UNKNOWN
from tests.policies.cases import REMOVED, accepts, both, job, leaves, permissions, refuses


def test_clusters_are_dedicated() -> None:
    assert accepts("security-mode", job())
    for mode in ("NONE", "USER_ISOLATION", "DATA_SECURITY_MODE_AUTO"):
        assert f"(execution, registration): dataSecurityMode is {mode}" in refuses(
            "security-mode", both(dataSecurityMode=mode)
        )
    assert "is not set" in refuses("security-mode", both(dataSecurityMode=REMOVED))
    assert leaves("security-mode", both(dataSecurityMode=UNKNOWN))


def scope(principal: object) -> Resource:
    properties = {} if principal is REMOVED else {"initialManagePrincipal": principal}
    return Resource(type=SCOPE, name="scope", properties={"name": "fiftyone-dev", **properties})


def test_nobody_but_its_maker_manages_a_new_scope() -> None:
    assert accepts("scope-access", scope(REMOVED))
    assert "MANAGE on a secret scope to the group users" in refuses("scope-access", scope("users"))
    assert leaves("scope-access", scope(UNKNOWN))


@pytest.mark.parametrize("kind", GRANTS)
def test_no_grant_lets_everyone_manage_a_scope(kind: str) -> None:
    def grant(principal: object, permission: object) -> Resource:
        return Resource(type=kind, name="grant", properties={"principal": principal, "permission": permission})

    assert accepts("scope-access", grant("5ad0c0de", "READ"))
    assert accepts("scope-access", grant("users", "READ"))
    assert accepts("scope-access", grant("5ad0c0de", "MANAGE"))
    assert accepts("scope-access", grant(UNKNOWN, "READ"))
    for group in ("users", "account users"):
        assert f"to the group {group}" in refuses("scope-access", grant(group, "MANAGE"))
    assert "engineers" in refuses("scope-access", grant("engineers", "MANAGE"), limits={EVERYONE: ("engineers",)})
    assert leaves("scope-access", grant(UNKNOWN, "MANAGE"))
    for fewer in ((), ("engineers",)):  # a limits file adds groups and takes none away
        assert refuses("scope-access", grant("users", "MANAGE"), limits={EVERYONE: fewer})


def test_the_trigger_has_its_level_and_not_more() -> None:
    assert accepts("trigger-level", permissions())
    for level in ("CAN_VIEW", "CAN_MANAGE", "IS_OWNER"):
        assert f"gives the service principal {level} on the job" in refuses("trigger-level", permissions(level))
    assert "the permission that gpu-job gives" in leaves("trigger-level", permissions(UNKNOWN))


def shared(level: Any, **whom: Any) -> Resource:
    return permissions(level, servicePrincipalName=REMOVED, **whom)


def test_nobody_but_its_owner_has_more_of_a_job_than_the_trigger() -> None:
    for level in ("CAN_VIEW", "CAN_MANAGE_RUN"):
        assert accepts("trigger-level", shared(level, groupName="users"))
    assert "the group users CAN_MANAGE on the job" in refuses("trigger-level", shared("CAN_MANAGE", groupName="users"))
    assert "the group admins IS_OWNER" in refuses("trigger-level", shared("IS_OWNER", groupName="admins"))
    assert "somebody else CAN_MANAGE" in refuses("trigger-level", shared("CAN_MANAGE", userName="a@example.com"))
    assert "somebody else no level" in refuses("trigger-level", shared(REMOVED, userName="a@example.com"))
    assert accepts("trigger-level", shared("IS_OWNER", userName="deployer@example.com"))
    assert leaves("trigger-level", shared(UNKNOWN, groupName="users"))
    elsewhere = Resource(type=PERMISSIONS, name="cluster", properties={"clusterId": "1", "accessControls": UNKNOWN})
    assert accepts("trigger-level", elsewhere)


def test_to_whom_a_job_is_given_may_be_known_to_the_update_alone() -> None:
    for controls in (UNKNOWN, [UNKNOWN]):
        given = Resource(
            type=PERMISSIONS,
            name="gpu-job",
            properties={"jobId": UNKNOWN, "accessControls": controls},
            depends_on={"jobId": [job()]},
        )
        assert "to whom gpu-job gives the job" in leaves("trigger-level", given)
        assert accepts("trigger-access", job(), given)


def test_each_job_has_a_trigger() -> None:
    assert accepts("trigger-access", job(), permissions())
    assert accepts("trigger-access", job(), permissions(servicePrincipalName=UNKNOWN))
    assert "no service principal may start job gpu" in refuses("trigger-access", job())
    other = permissions(of=job(name="other"))
    assert refuses("trigger-access", job(), other)
    assert refuses("trigger-access", job(), permissions(servicePrincipalName="", groupName="users"))


def test_a_trigger_that_is_not_the_stacks_is_not_asked_for() -> None:
    assert accepts("trigger-access", job(), trigger_elsewhere=True)
