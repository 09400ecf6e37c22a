"""One orchestrator in FiftyOne: its secrets, its registration, and the refresh of its operators.

Owns what FiftyOne holds of the orchestrator; the job and what it runs on come as arguments. Secrets are written first,
under the names that FiftyOne itself would give them, and the registration refers to them by name, so that a rotation
changes one secret and nothing else. Source: guide, "Register Orchestrator in FiftyOne" and "Refresh Orchestrator
Operators".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from components.job import JobOutputs
from components.orchestrator_settings import OrchestratorSettings
from components.registration import secret_name
from components.settings import PROJECT
from fiftyone_provider.mark import Stamped
from fiftyone_provider.operator_refresh import OperatorRefresh
from fiftyone_provider.orchestrator import Orchestrator
from fiftyone_provider.secret import Secret

ENVIRONMENT: Final = "databricks"


@dataclass(frozen=True, kw_only=True)
class FiftyOneOrchestratorArgs:
    """What FiftyOne is told.

    `credentials` are what the stack's own secrets hold and `existing_secrets` the names of others', both by FiftyOne's
    field; `client_secret_id` tells one client secret from another, where the stack makes it; `triggers` is what decides
    which operators there are.
    """

    stack: str
    instance_id: str
    orchestrator: OrchestratorSettings
    job: JobOutputs
    credentials: Mapping[str, pulumi.Input[str]]
    client_secret_id: pulumi.Input[str]
    existing_secrets: Mapping[str, str]
    allow_reregister: bool
    triggers: Mapping[str, str]
    protect: bool


class FiftyOneOrchestrator(pulumi.ComponentResource):
    """Output: `secrets`, the names of FiftyOne secrets by field. Depends on all that a run of the job needs.

    `client_secret` is the stack's own secret of that field, if it has one.
    """

    secrets: dict[str, str]
    client_secret: Secret | None

    def __init__(self, name: str, args: FiftyOneOrchestratorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:FiftyOneOrchestrator", name, None, opts)
        instance_id = args.instance_id
        mark = f"{PROJECT}/{args.stack}/{instance_id}"
        own_secrets: dict[str, dict[str, pulumi.Input[str | bool]]] = {}
        self.secrets, self.client_secret = dict(args.existing_secrets), None
        for field, value in args.credentials.items():
            key, text = secret_name(field, instance_id), f"{field} of orchestrator {instance_id}"
            secret = Secret(
                key,
                key=key,
                value=value,
                description=text,
                mark=mark,
                value_id=args.client_secret_id if field == "clientSecret" else "",
                opts=pulumi.ResourceOptions(parent=self),
            )
            stamped = secret.token.apply(lambda token, text=text: str(Stamped(text=text, mark=mark, token=token)))
            own_secrets[key] = {"value": value, "description": stamped, "settled": secret.settled}
            self.secrets[field] = key
            if field == "clientSecret":
                self.client_secret = secret

        config: dict[str, pulumi.Input[str]] = {
            "jobId": args.job["jobId"],
            "executionTaskId": args.job["executionTaskKey"],
        }
        registration_task = args.job["registrationTaskKey"]
        if registration_task is not None:
            config["registrationTaskId"] = registration_task
        registration = Orchestrator(
            instance_id,
            instance_id=instance_id,
            description=args.orchestrator.description.strip(),
            mark=mark,
            environment=ENVIRONMENT,
            config=config,
            secrets=self.secrets,
            own_secrets=own_secrets,
            existing_secrets=sorted(args.existing_secrets.values()),
            allow_reregister=args.allow_reregister,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        OperatorRefresh(
            f"{instance_id}-operators",
            instance_id=instance_id,
            job_id=args.job["jobId"],
            task_key=registration_task or args.job["executionTaskKey"],
            own_task=registration_task is not None,
            command=args.orchestrator.registration_command or "",
            registration=registration.token,
            triggers=dict(args.triggers),
            timeout_minutes=args.orchestrator.registration_timeout_minutes,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"secrets": self.secrets})
