"""Rules on what FiftyOne is told: where it runs, which job it starts, and under which names it keeps secrets.

Source: guide, "Register Orchestrator in FiftyOne".
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rules.clusters import JOB, tasks
from rules.model import Context, Finding, Resource, ResourceRule, StackRule, of_type
from rules.values import UNKNOWN, at, text, texts

ORCHESTRATOR: Final = "pulumi-python:dynamic/fiftyone:Orchestrator"
ENVIRONMENT: Final = "databricks"
# How FiftyOne itself would name the secret of each field, before the instance id in upper snake case.
SECRET_NAMES: Final = {
    "host": "HOST",
    "accountId": "ACCOUNT_ID",
    "clientId": "CLIENT_ID",
    "clientSecret": "CLIENT_SECRET",
}


def registration_environment(orchestrator: Resource, _context: Context) -> Iterator[Finding]:
    """An orchestrator is registered as one on Databricks."""
    environment = at(orchestrator.properties, "environment")
    if environment is UNKNOWN:
        yield Finding(what=f"the environment of orchestrator {orchestrator.name}", urn=orchestrator.urn, later=True)
    elif environment != ENVIRONMENT:
        yield Finding(
            what=f"orchestrator {orchestrator.name} is not registered with the environment {ENVIRONMENT}",
            why="FiftyOne would start its runs elsewhere, or nowhere",
            mend=f"register it with `environment` {ENVIRONMENT}",
            urn=orchestrator.urn,
        )


def registration_secrets(orchestrator: Resource, _context: Context) -> Iterator[Finding]:
    """All four secrets are there, by the names that FiftyOne would give them, or by those of existing ones."""
    instance_id = text(orchestrator.properties, "instanceId")
    existing = texts(orchestrator.properties, "existingSecrets")
    for field, prefix in SECRET_NAMES.items():
        name = at(orchestrator.properties, "secrets", field)
        rule = f"{prefix}_{instance_id.upper().replace('-', '_')}"
        if name is UNKNOWN:
            yield Finding(what=f"the name of {field}'s secret of {orchestrator.name}", urn=orchestrator.urn, later=True)
        elif name != rule and name not in existing:
            yield Finding(
                what=f"orchestrator {orchestrator.name} does not refer to {rule} for {field}",
                why="FiftyOne takes a name that is no secret's for the value itself, and stores it",
                mend=f"name the secret {rule}, or an existing one as `secretsFrom.{field}`",
                urn=orchestrator.urn,
            )


def registration_job(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """An orchestrator starts a job that this stack makes, by tasks that the job has."""
    for orchestrator in of_type(resources, ORCHESTRATOR):
        jobs = of_type(orchestrator.depends_on.get("config", ()), JOB)
        job_id = at(orchestrator.properties, "config", "jobId")
        # A literal is no job of this stack's as long as the job's own id is unknown, whatever else depends on it.
        own = [job for job in jobs if job_id is UNKNOWN or _is_called(job, job_id)]
        if not own:
            yield Finding(
                what=f"orchestrator {orchestrator.name} is registered with a job that this stack does not make",
                why="what FiftyOne starts there is bounded by none of these rules",
                mend="register the id of the stack's own job, as it comes from the resource",
                urn=orchestrator.urn,
            )
            continue
        keys = {text(task, "taskKey") for job in own for task in tasks(job)}
        for field in ("executionTaskId", "registrationTaskId"):
            task = text(orchestrator.properties, "config", field)
            if task not in keys and (task or field == "executionTaskId"):
                yield Finding(
                    what=f"orchestrator {orchestrator.name} names as {field} no task of its job",
                    why="FiftyOne starts that task of the job, and no other",
                    mend=f"name one of {', '.join(sorted(keys))}",
                    urn=orchestrator.urn,
                )


def _is_called(job: Resource, job_id: object) -> bool:
    return isinstance(job_id, str) and at(job.properties, "id") == job_id


RULES: Final = (
    ResourceRule(
        name="registration-environment",
        says="An orchestrator is registered as one on Databricks.",
        types=(ORCHESTRATOR,),
        check=registration_environment,
    ),
    ResourceRule(
        name="registration-secrets",
        says="An orchestrator's secrets have the names that FiftyOne would give them, or those of existing ones.",
        types=(ORCHESTRATOR,),
        check=registration_secrets,
    ),
    StackRule(
        name="registration-job",
        says="An orchestrator starts a job, and tasks, that this stack makes.",
        types=(ORCHESTRATOR, JOB),
        check=registration_job,
    ),
)
