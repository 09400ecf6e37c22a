"""One orchestrator in FiftyOne: its secrets, its registration, and the refresh of its operators.

Owns what FiftyOne holds of the orchestrator; the job and what it runs on come as arguments. Secrets are written first,
under the names that FiftyOne itself would give them, and the registration refers to them by name, so that a rotation
changes one secret and nothing else. Source: guide, "Register Orchestrator in FiftyOne" and "Refresh Orchestrator
Operators".
"""

from dataclasses import dataclass
from typing import Final

import pulumi

from components.job import JobOutputs
from components.operators import operator_triggers
from components.plugins import PluginsPlace
from components.registration import credentials, existing_secrets, secret_name
from components.settings import PROJECT, Settings
from fiftyone_provider.mark import Stamped
from fiftyone_provider.operator_refresh import OperatorRefresh
from fiftyone_provider.orchestrator import Orchestrator
from fiftyone_provider.secret import Secret

ENVIRONMENT: Final = "databricks"


@dataclass(frozen=True, kw_only=True)
class FiftyOneOrchestratorArgs:
    """What FiftyOne is told: the stack's settings, the orchestrator's job, and where its plugins are."""

    settings: Settings
    instance_id: str
    job: JobOutputs
    plugins: PluginsPlace | None


class FiftyOneOrchestrator(pulumi.ComponentResource):
    """Output: `secrets`, the names of FiftyOne secrets by field. Depends on all that a run of the job needs."""

    secrets: dict[str, str]

    def __init__(self, name: str, args: FiftyOneOrchestratorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:FiftyOneOrchestrator", name, None, opts)
        settings, instance_id = args.settings, args.instance_id
        orchestrator = settings.orchestrators[instance_id]
        existing = existing_secrets(settings)
        mark = f"{PROJECT}/{settings.stack}/{instance_id}"
        own: dict[str, Secret] = {}
        own_secrets: dict[str, dict[str, pulumi.Input[str | bool]]] = {}
        self.secrets = dict(existing)
        for field, value in credentials(settings).items():
            key, text = secret_name(field, instance_id), f"{field} of orchestrator {instance_id}"
            own[key] = Secret(
                key,
                key=key,
                value=value or "",
                description=text,
                mark=mark,
                opts=pulumi.ResourceOptions(parent=self),
            )
            stamped = own[key].token.apply(lambda token, text=text: str(Stamped(text=text, mark=mark, token=token)))
            own_secrets[key] = {"value": value or "", "description": stamped, "settled": own[key].settled}
            self.secrets[field] = key

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
            description=orchestrator.description.strip(),
            mark=mark,
            environment=ENVIRONMENT,
            config=config,
            secrets=self.secrets,
            own_secrets=own_secrets,
            existing_secrets=sorted(existing.values()),
            allow_reregister=settings.allow_reregister,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect, depends_on=list(own.values())),
        )
        OperatorRefresh(
            f"{instance_id}-operators",
            instance_id=instance_id,
            job_id=args.job["jobId"],
            task_key=registration_task or args.job["executionTaskKey"],
            own_task=registration_task is not None,
            command=orchestrator.registration_command or "",
            registration=registration.token,
            triggers=dict(operator_triggers(settings, instance_id, args.plugins)),
            timeout_minutes=orchestrator.registration_timeout_minutes,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"secrets": self.secrets})
