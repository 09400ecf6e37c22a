"""Messages as runs and refusals write them lead to their causes, and the page says the same as the program."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from databricks.sdk.service.jobs import (
    Run,
    RunLifecycleStateV2State,
    RunStatus,
    TerminationCodeCode,
    TerminationDetails,
)

from tests.engine.workspace import REPO
from toolchain.run_job import follow
from troubleshooting.causes import CAUSES, cause_of, explanation
from troubleshooting.page import page

# What is met, by the beginning of the cause's `message`.
MET = {
    "Secret does not exist": "is in unexpected state Terminated: SECRET_RESOLUTION_ERROR(CLIENT_ERROR): "
    "databricks_error_message:Secret does not exist with scope: fiftyone-dev and key: FIFTYONE_DATABASE_URI",
    "User … does not have READ": "User 5ad0 does not have READ permission on scope fiftyone-dev",
    "User … does not have Can Attach": "PERMISSION_DENIED(CLIENT_ERROR): User 5ad0 does not have Can Attach To "
    "permissions on instance pool p (1123). Please contact the owner or an administrator for access.",
    "Cannot read the python file … lacks": "Cannot read the python file /Workspace/x/entrypoint.py. Either it does not "
    "exist, or the identity used to run this job, 5ad0, lacks the required permissions (CAN_READ).",
    "Could not open requirements": "Library installation failed for library due to user error for requirements: /x. "
    "Error messages:\nCould not open requirements file: No such file or directory: '/x'",
    "Cannot read the python file …": "Cannot read the python file dbfs:/x/entrypoint.py. Please check driver logs.",
    "No matching distribution": "ERROR: No matching distribution found for fiftyone==2.13.1",
    "Library installation": "Library installation error: pip subprocess exited with 1",
    "Could not reach driver": "Could not reach driver of cluster 1123-075537-abc.",
    "The requested operation": 'The requested operation requires that "torch==2.1" is installed on your machine, but '
    'found "torch==2.6"',
    "FATAL FIPS": "crypto/fips/fips.c:154: OpenSSL internal error: FATAL FIPS SELFTEST FAILURE",
    "… the following custom tag": "the following custom tag keys conflict with the pool's custom tag keys: team",
    "INSTANCE_POOL_MAX": "INSTANCE_POOL_MAX_CAPACITY_FAILURE: pool p is full",
    "User … does not have Manage Run": "User 5ad0 does not have Manage Run or Owner or Manage permissions on job 12",
    "Cannot bind": "Cannot bind the service principal provided in 'run_as' field (5ad0) to the job. The user creating "
    "or updating the job must have 'servicePrincipal.user' role on the service principal.",
    "Invalid user": "Invalid user: '5ad0' does not exist or deactivated",
    "invalid_client": "oauth-m2m: invalid_client: Client authentication failed",
    "Skipped due": "Skipped due to reaching maximum concurrent runs of 3.",
    "Run timed out": "Run timed out.",
    "… are not those": "the plugins at /x are not those that were deployed (SHA-256 a, expected b)",
    "only fiftyone": "only fiftyone and sh may be run here, so nothing was started; `allowedCommands` allows more",
    "ServerSelection": "pymongo.errors.ServerSelectionTimeoutError: No replica set members found yet",
    "database-stored": "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "No module named": "ModuleNotFoundError: No module named 'databricks'",
}


@pytest.mark.parametrize("beginning", MET)
def test_a_message_leads_to_its_cause_and_to_no_other(beginning: str) -> None:
    found = cause_of(MET[beginning])
    assert found is not None
    assert found.message.startswith(beginning)


def test_every_cause_is_met_by_a_message_here() -> None:
    assert [cause.message for cause in CAUSES if not any(cause.message.startswith(each) for each in MET)] == []


def test_the_guides_common_issues_are_all_known() -> None:
    for message in (
        "Could not reach driver of cluster",
        "Cannot read the python file",
        "Library installation error",
        'The requested operation requires that "some-dependency==X" is installed on your machine, but found '
        '"some-dependency==Y"',
    ):
        found = cause_of(message)
        assert found is not None
        assert found.source == 'guide, "Dependency Conflicts"'


def test_what_to_do_names_the_stack_and_what_is_unknown_has_no_cause() -> None:
    assert "`make rotate STACK=dev`" in explanation("invalid_client", stack="dev")
    assert explanation("Workload failed, see run output for details") == ""
    assert not any("{" in explanation(text, stack="dev") for text in MET.values())


def test_what_the_platform_says_goes_before_what_a_log_holds() -> None:
    found = cause_of(MET["Could not reach driver"], MET["ServerSelection"])
    assert found is not None
    assert found.message.startswith("Could not reach driver")


def test_a_run_that_fails_under_make_run_leads_to_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    details = TerminationDetails(TerminationCodeCode.DRIVER_ERROR, message=MET["Could not reach driver"])
    status = RunStatus(state=RunLifecycleStateV2State.TERMINATED, termination_details=details)
    client: Any = SimpleNamespace(jobs=SimpleNamespace(get_run=lambda _: Run(status=status)))
    assert follow(client, 12, "dev") == 1
    assert "The driver died." in capsys.readouterr().out


def test_every_make_command_that_is_named_exists() -> None:
    named = {verb for cause in CAUSES for verb in re.findall(r"make ([a-z-]+) STACK", cause.mend)}
    targets = re.findall(r"^([a-z -]+):.*##", (REPO / "Makefile").read_text(), re.MULTILINE)
    assert named <= {verb for target in targets for verb in target.split()}


def test_the_page_is_current() -> None:
    assert (REPO / "docs" / "troubleshooting.md").read_text() == page(), "run `make troubleshooting`"
