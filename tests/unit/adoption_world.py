"""A workspace and a FiftyOne in memory, as somebody left them who followed the guide, and settings that agree."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from adoption.differences import differences, stack_file_lines
from adoption.live_workspace import LivePool, LiveScope, LiveWorkspace
from adoption.obstacles import obstacles
from adoption.survey import Finding, survey
from components.settings import Settings
from fiftyone_provider.client import Registration
from tests.unit.fiftyone_fake import FakeFiftyOne
from tests.unit.settings_cases import ENVIRON, TRIGGER, configuration, settings

JOB = "100"
ME = "deployer@example.com"
VARIABLES = {
    "API_URL": "https://fiftyone.example.com/api",
    "FIFTYONE_DATABASE_NAME": '"fiftyone"',
    "FIFTYONE_DATABASE_URI": "{{secrets/theirs/FIFTYONE_DATABASE_URI}}",
    "FIFTYONE_ENCRYPTION_KEY": "{{secrets/theirs/FIFTYONE_ENCRYPTION_KEY}}",
    "FIFTYONE_INTERNAL_SERVICE": "1",
    "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
    "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
    "FIFTYONE_PLUGINS_DIR": '"/Workspace/plugins"',
    "PIP_EXTRA_INDEX_URL": "{{secrets/theirs/FIFTYONE_PYPI_URL}}",
}
CLUSTER = {"spark_version": "16.4.x-scala2.13", "spark_env_vars": VARIABLES, "num_workers": 1}
FIELDS = {"host": "HOST", "accountId": "ACCOUNT_ID", "clientId": "CLIENT_ID", "clientSecret": "CLIENT_SECRET"}
OWN = {"description": "Runs", "pool": "p-gpu", "registrationPool": "p-cpu", "maxConcurrentRuns": 5}


def job() -> dict[str, Any]:
    """The guide's."""
    return copy.deepcopy(
        {
            "name": "by hand",
            "max_concurrent_runs": 5,
            "tasks": [
                {
                    "task_key": task,
                    "job_cluster_key": cluster,
                    "spark_python_task": {"python_file": "/Workspace/x/entrypoint.py"},
                    "libraries": [{"requirements": "/Workspace/x/requirements.txt"}],
                }
                for task, cluster in (("execute_task", "gpu"), ("register_task", "cpu"))
            ],
            "job_clusters": [
                {
                    "job_cluster_key": "gpu",
                    "new_cluster": {**CLUSTER, "use_ml_runtime": True, "instance_pool_id": "p-gpu"},
                },
                {"job_cluster_key": "cpu", "new_cluster": {**CLUSTER, "instance_pool_id": "p-cpu"}},
            ],
        }
    )


class FakeWorkspace(LiveWorkspace):
    """A workspace in memory, as somebody left it who followed the guide."""

    def __init__(self) -> None:
        self.jobs = {JOB: (job(), ME)}
        self.runners = [TRIGGER]
        self.scopes = {"theirs": LiveScope(keys=frozenset({"FIFTYONE_DATABASE_URI"}), read_only=False)}
        self.files = {"/Workspace/x/requirements.txt": "fiftyone==2.13.1\nultralytics\ntorch\n"}
        self.held = {key: value for key, value in ENVIRON.items() if key.startswith("FIFTYONE_")}
        self.folder: list[str] = []

    @property
    def cluster(self) -> dict[str, Any]:
        """The execution cluster, to change."""
        return self.jobs[JOB][0]["job_clusters"][0]["new_cluster"]

    def me(self) -> str:
        return ME

    def job(self, job_id: str) -> tuple[dict[str, Any], str] | None:
        return self.jobs.get(job_id)

    def jobs_called(self, name: str) -> list[str]:
        return [number for number, (settings, _) in self.jobs.items() if settings["name"] == name]

    def triggers(self, job_id: str) -> list[str]:
        return self.runners

    def pool(self, pool_id: str) -> LivePool | None:
        return LivePool(id=pool_id, name=f"their {pool_id}", node_type="g2-standard-8", capacity=20)

    def scope(self, name: str) -> LiveScope | None:
        return self.scopes.get(name)

    def refers_to(self, reference: str, value: str) -> bool | None:
        key = reference.strip("{}").rpartition("/")[2]
        return self.held[key] == value if key in self.held else None

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def contents(self, folder: str) -> list[str]:
        return self.folder


@dataclass
class World:
    """What stands, and what the settings ask for; they agree until a test changes one."""

    workspace: FakeWorkspace = field(default_factory=FakeWorkspace)
    fiftyone: FakeFiftyOne = field(default_factory=FakeFiftyOne)
    own: dict[str, Any] = field(default_factory=lambda: dict(OWN))
    others: dict[str, str] = field(
        default_factory=lambda: {"secretScope": "theirs", "plugins": json.dumps({"path": "/Workspace/plugins"})}
    )
    named: dict[str, str] = field(default_factory=dict[str, str])
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.fiftyone.secrets = {f"{name}_GPU": ("hidden", "Created for gpu") for name in FIELDS.values()}
        self.register()

    def register(self, **others: Any) -> None:
        """As the guide does, but for what is given."""
        given: dict[str, Any] = {
            "description": "Runs",
            "environment": "databricks",
            "config": {"jobId": JOB, "executionTaskId": "execute_task", "registrationTaskId": "register_task"},
            "secrets": {name: f"{upper}_GPU" for name, upper in FIELDS.items()},
            "created_at": "2026-01-02T03:04:05+00:00",
        }
        self.fiftyone.orchestrators["gpu"] = Registration(instance_id="gpu", **{**given, **others})

    @property
    def settings(self) -> Settings:
        return settings(configuration(orchestrators={"gpu": self.own, **self.more}, **self.others))

    def found(self) -> list[Finding]:
        return survey(self.settings, self.fiftyone, self.workspace, named=self.named)

    def obstacles(self, *state: str) -> list[str]:
        return list(obstacles(self.found(), self.settings, self.workspace, state))

    def differences(self) -> dict[str, str]:
        (found,) = self.found()
        return {".".join(each.key): str(each) for each in differences(found, self.settings, self.workspace)}

    def lines(self) -> dict[str, Any]:
        (found,) = self.found()
        return stack_file_lines(differences(found, self.settings, self.workspace))
