"""What messages of runs and of refusals come from, and what to do about each: data, and the look-up in it.

Owns messages and causes alone, and imports nothing of this project: the providers, `make run` and `make verify` all
look here, and docs/troubleshooting.md is made of it (page.py). Where two patterns fit one message, the first counts:
the more special stand first. `{stack}` in what to do stands for the stack's name.
"""

import re
from dataclasses import dataclass
from typing import Final

GUIDE_CONFLICTS: Final = 'guide, "Dependency Conflicts"'
GUIDE_MORE: Final = 'guide, "Additional Considerations"'
PRIVILEGES: Final = "docs.databricks.com/aws/en/jobs/privileges"
OWN_TESTS: Final = "this project's tests on the embedded workspace"
MEND: Final = "`make refresh STACK={stack} && make up STACK={stack}`"
CONFLICT: Final = (
    "The run's requirements and the packages of the runtime's image do not go together: a package was replaced that "
    "another one, or the driver itself, needs in its own version."
)
PINS: Final = (
    "`make preflight STACK={stack}` names the packages and the versions that go together; pin those in the "
    "orchestrator's `requirements`, then `make up STACK={stack}`. If none go together, ask FiftyOne's customer success."
)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Where a message comes from. `message` is what a person sees of it, and `pattern` what it is known by."""

    message: str
    pattern: str
    cause: str
    mend: str
    source: str


CAUSES: Final = (
    Cause(
        message="Secret does not exist with scope: … and key: …",
        pattern=r"Secret does not exist with scope",
        cause="The job's environment names a key that the secret scope does not hold, so the cluster does not start.",
        mend=f"{MEND}; in a scope that exists already (`secretScope.existing`), put the key there by hand: "
        "`databricks secrets put-secret SCOPE KEY`.",
        source=OWN_TESTS,
    ),
    Cause(
        message="User … does not have READ permission on scope …",
        pattern=r"does not have READ permission on scope",
        cause="The identity that the job runs as may not read the secret scope, so the cluster does not start.",
        mend=f"{MEND}, which gives it READ again.",
        source=PRIVILEGES,
    ),
    Cause(
        message="User … does not have Can Attach To permissions on instance pool …",
        pattern=r"does not have Can Attach To permissions on instance pool|not authorized to attach",
        cause="The identity that the job runs as may not take instances from the pool, so the cluster does not start.",
        mend=f"{MEND}, which gives it CAN_ATTACH_TO again.",
        source=PRIVILEGES,
    ),
    Cause(
        message="Cannot read the python file … lacks the required permissions (CAN_READ)",
        pattern=r"Cannot read the python file [^\n]*CAN_READ|Could not open requirements file: Permission denied",
        cause="The file is gone, or the identity that the job runs as may not read the stack's folder.",
        mend=f"{MEND}, which puts the file back and gives CAN_READ again.",
        source=PRIVILEGES,
    ),
    Cause(
        message="Could not open requirements file: No such file or directory",
        pattern=r"Could not open requirements file",
        cause="The orchestrator's requirements are not where the job looks for them.",
        mend=f"{MEND}, which puts the file back.",
        source=OWN_TESTS,
    ),
    Cause(
        message="Cannot read the python file …",
        pattern=r"Cannot read the python file",
        cause="The entrypoint is not where the job looks for it; or, with the file in place, the run's requirements "
        "and the packages of the runtime's image do not go together.",
        mend=f"`make verify STACK={{stack}} RUN=no` says whether the file is in place. If it is: {PINS}",
        source=GUIDE_CONFLICTS,
    ),
    Cause(
        message="No matching distribution found for fiftyone==…",
        pattern=r"No matching distribution found for fiftyone|find a version that satisfies the requirement fiftyone",
        cause="The private package index does not have the deployment's FiftyOne, or was not reached: its address with "
        "its token is the secret FIFTYONE_PYPI_URL, or the version is not one of its own.",
        mend="`make preflight STACK={stack}` asks the index. Then `pulumi config set --secret fiftyone:pypiUrl -s "
        "{stack}` or mend `fiftyone:version`, and `make up STACK={stack}`.",
        source='guide, "Create requirements.txt"',
    ),
    Cause(
        message="Library installation error",
        pattern=r"(?i)library.install(ation)?.(error|failed)|LIBRARY_INSTALLATION_ERROR",
        cause=f"A requirement cannot be installed. {CONFLICT}",
        mend=PINS,
        source=GUIDE_CONFLICTS,
    ),
    Cause(
        message="Could not reach driver of cluster …",
        pattern=r"Could not reach driver of cluster",
        cause=f"The driver died. {CONFLICT}",
        mend=PINS,
        source=GUIDE_CONFLICTS,
    ),
    Cause(
        message='The requested operation requires that "X==1" is installed on your machine, but found "X==2"',
        pattern=r"requires that \W*\S+\W* is\s+installed on your machine, but found",
        cause="FiftyOne or one of its packages wants another version of the package than the run has: a requirement "
        "or the runtime's image decides on it.",
        mend=PINS,
        source=GUIDE_CONFLICTS,
    ),
    Cause(
        message="FATAL FIPS SELFTEST FAILURE",
        pattern=r"FIPS SELFTEST FAILURE",
        cause="opencv from 4.13.0.90 on aborts where Databricks' image asks for FIPS mode.",
        mend="keep opencv-python and opencv-python-headless below 4.13.0.90, as the stack's requirements do: look for "
        "a package of your own that brings another opencv.",
        source="github.com/opencv/opencv-python/issues/1184",
    ),
    Cause(
        message="… the following custom tag keys conflict with the pool's custom tag keys",
        pattern=r"custom tag keys conflict with the pool",
        cause="A job's tags become its clusters' tags, and a cluster may not set a tag that its pool sets.",
        mend="take the tag named out of the orchestrator's `tags`, or off the existing pool or the job where it was "
        "put by hand; then `make up STACK={stack}`.",
        source="github.com/databricks/terraform-provider-databricks/pull/2242",
    ),
    Cause(
        message="INSTANCE_POOL_MAX_CAPACITY_FAILURE",
        pattern=r"INSTANCE_POOL_MAX_CAPACITY",
        cause="All instances of the pool are in use, by other runs or by other jobs of the same pool.",
        mend="wait for a run to end, raise the orchestrator's `maxCapacity`, or lower its `workers` or "
        "`maxConcurrentRuns`; then `make up STACK={stack}`.",
        source="docs.gcp.databricks.com/en/compute/pools.html",
    ),
    Cause(
        message="User … does not have Manage Run or Owner or Manage permissions on job …",
        pattern=r"does not have [\w ]*(Manage Run|View)[\w ]* permissions on job",
        cause="The service principal that FiftyOne starts jobs as may not start this one, or not even see it.",
        mend=f"{MEND}, which gives it CAN_MANAGE_RUN again; where the stack does not know that service principal "
        "(`secretsFrom` alone), name it as `servicePrincipal`, or grant the right by hand.",
        source='guide, "Create Service Creds"',
    ),
    Cause(
        message="Cannot bind the service principal provided in 'run_as' field … 'servicePrincipal.user' role",
        pattern=r"run_as.*servicePrincipal\.user|servicePrincipal\.user.*run_as",
        cause="Whoever deploys may not have jobs run as that service principal: even an administrator of the workspace "
        "needs the role servicePrincipal.user on it.",
        mend=f"{MEND} gives it again to whoever had it; somebody else gets it by `make up STACK={{stack}} "
        "ARGS=\"--replace '**::run-as-role'\"`. Giving it takes the role Service Principal Manager on that service "
        "principal.",
        source="docs.databricks.com/aws/en/security/auth/access-control/service-principal-acl",
    ),
    Cause(
        message="Invalid user: '…' does not exist or deactivated",
        pattern=r"Invalid user: .* does not exist or deactivated",
        cause="The identity that the job runs as is not, or no more, in the workspace.",
        mend="name another one as `runAs`, or add it to the workspace and activate it; then `make up STACK={stack}`.",
        source=OWN_TESTS,
    ),
    Cause(
        message="invalid_client: Client authentication failed",
        pattern=r"invalid_client",
        cause="The workspace does not accept the credential that FiftyOne holds: the OAuth secret has ended or was "
        "deleted, or belongs to another service principal.",
        mend="`make rotate STACK={stack}` where the stack makes the service principal; else make a new secret of it in "
        "Databricks, `pulumi config set --secret servicePrincipalClientSecret -s {stack}` and `make up STACK={stack}`.",
        source='guide, "Credential Expiration and Rotation"',
    ),
    Cause(
        message="Skipped due to reaching maximum concurrent runs of …",
        pattern=r"(?i)maximum concurrent runs|MAX_CONCURRENT_RUNS_EXCEEDED|MAXIMUM_CONCURRENT_RUNS_REACHED",
        cause="As many runs of the job were going as it may have at once, and its queue is off or was not used.",
        mend="wait for one to end, or raise the orchestrator's `maxConcurrentRuns`, up to the licence's "
        f"`fiftyone:delegatedOperationCapacity`. A queue that was turned off by hand: {MEND}.",
        source='guide, "Create Job"',
    ),
    Cause(
        message="Run timed out.",
        pattern=r"(?i)run timed out|\bTIMEDOUT\b",
        cause="The run took longer than the job lets it, starting its cluster and installing its libraries included.",
        mend="raise the orchestrator's `timeoutMinutes`, or keep instances ready with `minIdleInstances`; then `make "
        "up STACK={stack}`.",
        source=OWN_TESTS,
    ),
    Cause(
        message="… are not those that were deployed (SHA-256 …)",
        pattern=r"are not those that were deployed",
        cause="The archive of plugins was changed after it was deployed, so the entrypoint refused it.",
        mend=f"delete the archive where it lies, then {MEND}; of an archive at `plugins.url`, set the new `sha256`.",
        source="job/entrypoint.py",
    ),
    Cause(
        message="only fiftyone may be run here, so nothing was started",
        pattern=r"only .* may be run here, so nothing was started",
        cause="The entrypoint runs no other commands than the orchestrator's `allowedCommands`, and those of FiftyOne "
        "begin with `fiftyone`.",
        mend="have `fiftyone` among the orchestrator's `allowedCommands`, or drop the setting; then `make up "
        "STACK={stack}`.",
        source="job/entrypoint.py",
    ),
    Cause(
        message="ServerSelectionTimeoutError, AutoReconnect or NetworkTimeout of MongoDB",
        pattern=r"ServerSelectionTimeoutError|AutoReconnect|NetworkTimeout",
        cause="More than 4 processes at once lose connections between Databricks and MongoDB Atlas; or the cluster "
        "does not reach the database at all.",
        mend="set the orchestrator's `processPoolWorkers` to 4 at most (FIFTYONE_MAX_PROCESS_POOL_WORKERS), and to 0 "
        "if that does not help; then `make up STACK={stack}`. If it never connects, let the workspace's network into "
        "the database's access list.",
        source=GUIDE_MORE,
    ),
    Cause(
        message="database-stored cloud credentials are not found (NoCredentialsError, DefaultCredentialsError)",
        pattern=r"NoCredentialsError|DefaultCredentialsError|(?i:unable to locate credentials)",
        cause="Processes of a pool do not find the cloud credentials that FiftyOne keeps in its database.",
        mend="set the orchestrator's `processPoolWorkers` to 0 (FIFTYONE_MAX_PROCESS_POOL_WORKERS), which turns "
        "multiprocessing off; then `make up STACK={stack}`.",
        source=GUIDE_MORE,
    ),
    Cause(
        message="No module named 'databricks' (the refresh fails: does the API image have databricks-sdk?)",
        pattern=r"No module named '?databricks",
        cause="FiftyOne starts jobs with databricks-sdk, which is not in its API's image unless added: a refresh, or "
        "any run, fails in FiftyOne while `make verify` passes.",
        mend="add `databricks-sdk>=0.53.0` to the API's image (FiftyOne's docs, Custom Plugins images) and deploy it.",
        source='guide, "Refresh Orchestrator Operators"',
    ),
)


def cause_of(*texts: str) -> Cause | None:
    """The cause of what a run or a refusal says, if it is known; a text counts only where those before it tell none."""
    found = (cause for text in texts for cause in CAUSES if re.search(cause.pattern, text, re.DOTALL))
    return next(found, None)


def explanation(*texts: str, stack: str = "…") -> str:
    """Cause and what to do as one paragraph; empty where the cause is not known."""
    cause = cause_of(*texts)
    return f"{cause.cause} What to do: {mend_of(cause, stack)}" if cause else ""


def mend_of(cause: Cause, stack: str) -> str:
    """What to do, with the stack's name."""
    return cause.mend.replace("{stack}", stack)
