"""What adopting judges: each obstacle alone stops it, what agrees is silent, what differs has a line that mends it."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption.differences import differences, stack_file_lines
from adoption.hand_over import hand_over, unmarked
from adoption.import_file import import_file, job_urn, orchestrator_urn, standing_resources
from adoption.live_workspace import LivePool, LiveScope, LiveWorkspace
from adoption.obstacles import obstacles
from adoption.report import pool_limit_lines
from adoption.survey import Finding, survey
from components.settings import Settings
from fiftyone_provider.client import Registration
from rules.parse import existing_pools
from tests.unit.fiftyone_fake import FakeFiftyOne
from tests.unit.settings_cases import ENVIRON, STACK, TRIGGER, configuration, settings

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


def test_where_settings_and_what_stands_agree_nothing_is_in_the_way_and_nothing_differs() -> None:
    world = World()
    assert world.obstacles() == []
    assert world.differences() == {}
    assert list(unmarked(world.found())) == [("gpu", f"{name}_GPU") for name in FIELDS.values()]


def _two_pools(world: World) -> None:
    world.own["pool"] = "p-other"
    world.workspace.cluster["driver_instance_pool_id"] = "p-driver"


def _two_scopes(world: World) -> None:
    world.others["secretScope"] = "fiftyone-dev"
    variables = dict(VARIABLES, FIFTYONE_ENCRYPTION_KEY="{{secrets/another/KEY}}")
    world.workspace.cluster["spark_env_vars"] = variables


def _two_triggers(world: World) -> None:
    world.workspace.runners = ["5ad0c0de-0000-4000-8000-00000000000a", "5ad0c0de-0000-4000-8000-00000000000b"]


def _two_jobs(world: World) -> None:
    world.fiftyone.orchestrators.clear()
    world.workspace.jobs["101"] = (job(), ME)
    world.named = {"gpu": "by hand"}


def _another_job_named(world: World) -> None:
    world.named = {"gpu": "101"}


def _no_job(world: World) -> None:
    world.workspace.jobs.clear()


def _other_tasks(world: World) -> None:
    world.fiftyone.orchestrators.clear()
    world.named = {"gpu": JOB}
    for task in world.workspace.jobs[JOB][0]["tasks"]:
        task["task_key"] = f"my_{task['task_key']}"


def _shared_job(world: World) -> None:
    world.more = {"cpu": {"pool": "p-gpu"}}
    world.named = {"cpu": JOB}


def _another_stacks_job(world: World) -> None:
    world.workspace.jobs[JOB][0]["tags"] = {"pulumi-stack": "fiftyone-databricks.other.gpu"}


def _another_stacks_secret(world: World) -> None:
    world.fiftyone.secrets["HOST_GPU"] = ("hidden", "x [pulumi-stack: fiftyone-databricks/other/gpu]")


def _another_stacks_registration(world: World) -> None:
    world.own["description"] = ""
    world.register(description="[pulumi-stack: fiftyone-databricks/other/gpu]")


def _literal_secret(world: World) -> None:
    variables = dict(VARIABLES, FIFTYONE_DATABASE_URI="mongodb://hidden")
    world.workspace.cluster["spark_env_vars"] = variables


def _literal_variable(world: World) -> None:
    world.workspace.cluster["spark_env_vars"] = dict(VARIABLES, LICENCE="hidden")


def _user_info(world: World) -> None:
    world.workspace.cluster["spark_env_vars"] = dict(VARIABLES, API_URL="https://user:hidden@fiftyone.example.com")


def _spark_conf(world: World) -> None:
    world.workspace.cluster["spark_conf"] = {"fs.azure.account.key.x": "hidden", "spark.speculation": "true"}


def _registry(world: World) -> None:
    world.workspace.cluster["docker_image"] = {"url": "x/y", "basic_auth": {"username": "a", "password": "hidden"}}


def _description(world: World) -> None:
    world.register(description="Other")


def _secret_names(world: World) -> None:
    world.register(secrets={name: f"MY_{upper}" for name, upper in FIELDS.items()})


def _unread_scope(world: World) -> None:
    world.others["secretScope"] = "fiftyone-dev"
    world.workspace.scopes["fiftyone-dev"] = LiveScope(keys=frozenset(), read_only=False)


def _kept_elsewhere(world: World) -> None:
    world.workspace.scopes["theirs"] = LiveScope(keys=frozenset(), read_only=True)


def _folder(world: World) -> None:
    world.workspace.folder = ["notes.txt"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_two_pools, "two pools, p-gpu and p-driver"),
        (_two_scopes, "several scopes, another, theirs"),
        (_two_triggers, "may all start job 100"),
        (_two_jobs, "jobs 100, 101 are all called by hand"),
        (_another_job_named, "FiftyOne starts job 100 as gpu, and --job names 101"),
        (_no_job, "there is no job 100 in this workspace"),
        (_other_tasks, "has no task `execute_task` (it has my_execute_task, my_register_task)"),
        (_shared_job, "job 100 stands for gpu and cpu"),
        (_another_stacks_job, "another stack's, by its tag fiftyone-databricks.other.gpu"),
        (_another_stacks_secret, "secret HOST_GPU in FiftyOne is another stack's"),
        (_another_stacks_registration, "orchestrator gpu in FiftyOne is another stack's"),
        (_literal_secret, "holds FIFTYONE_DATABASE_URI in the clear"),
        (_literal_variable, "holds LICENCE in the clear"),
        (_user_info, "holds API_URL in the clear"),
        (_spark_conf, "holds spark_conf fs.azure.account.key.x in the clear"),
        (_registry, "holds docker_image.basic_auth.password, docker_image.basic_auth.username in the clear"),
        (_description, "differs from the settings in its description"),
        (_secret_names, "differs from the settings in its secrets"),
        (_unread_scope, "scope fiftyone-dev stands there, and none of these jobs reads it"),
        (_kept_elsewhere, "kept by another service"),
        (_folder, "holds notes.txt"),
    ],
)
def test_each_obstacle_alone_is_named_and_shows_no_value(change: Callable[[World], None], named: str) -> None:
    world = World()
    change(world)
    (problem,) = world.obstacles()
    assert named in problem
    assert "hidden" not in problem


def test_tasks_that_cannot_stay_are_said_with_the_way_out() -> None:
    world = World()
    world.own.pop("registrationPool")
    differs, way = world.obstacles()
    assert "differs from the settings in its config" in differs
    assert "'registrationTaskId': 'register_task'" in way
    assert 'delete_orchestrator("gpu")' in way


def test_what_the_state_has_is_the_stacks_and_in_nobodys_way() -> None:
    world = World()
    _description(world)
    _literal_variable(world)
    stays = (job_urn(STACK, "gpu"), orchestrator_urn(STACK, "gpu"))
    assert len(world.obstacles()) == 2
    assert world.obstacles(*stays) == []


def test_a_choice_of_the_settings_settles_what_could_be_meant_in_two_ways() -> None:
    for change in (_two_pools, _two_triggers):
        world = World()
        change(world)
        world.own["pool"] = "p-driver"
        world.others["servicePrincipal"] = json.dumps({"clientId": world.workspace.runners[-1]})
        assert world.obstacles() == []


@pytest.mark.parametrize(
    ("stands", "key", "line"),
    [
        ({"spark_version": "15.4.x-scala2.12"}, "sparkVersion", "15.4.x-scala2.12"),
        ({"use_ml_runtime": False}, "mlRuntime", False),
        ({"is_single_node": True}, "workers", 0),
        ({"num_workers": 3}, "workers", 3),
        ({"instance_pool_id": "p-other"}, "pool", "p-other"),
        ({"docker_image": {"url": "registry.example.com/x"}}, "containerImage", "registry.example.com/x"),
        (
            {"aws_attributes": {"instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/x"}},
            "cloud",
            {"provider": "aws", "instanceProfileArn": "arn:aws:iam::123456789012:instance-profile/x"},
        ),
        (
            {"gcp_attributes": {"google_service_account": "x@example.iam.gserviceaccount.com"}},
            "cloud",
            {"provider": "gcp", "googleServiceAccount": "x@example.iam.gserviceaccount.com"},
        ),
        ({"spark_env_vars": {**VARIABLES, "X": "{{secrets/a/b}}"}}, "env", {"X": "{{secrets/a/b}}"}),
        ({"spark_env_vars": {**VARIABLES, "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "0"}}, "processPoolWorkers", 0),
    ],
)
def test_the_line_of_a_difference_makes_the_settings_agree(stands: dict[str, Any], key: str, line: Any) -> None:
    world = World()
    world.workspace.cluster.update(stands)
    assert world.lines() == {"orchestrators": {"gpu": {key: line}}}
    world.own |= world.lines()["orchestrators"]["gpu"]
    if key == "containerImage":
        world.own["mlRuntime"] = False
        world.workspace.cluster["use_ml_runtime"] = False
    assert world.differences() == {}


def test_what_all_orchestrators_share_has_its_lines_too() -> None:
    world = World()
    world.others = {"servicePrincipal": json.dumps({"create": True})}
    world.workspace.jobs[JOB] = (job(), "5ad0c0de-0000-4000-8000-00000000000a")
    variables = {**VARIABLES, "FIFTYONE_DATABASE_NAME": "other", "API_URL": "https://internal.example.com"}
    world.workspace.cluster["spark_env_vars"] = variables
    assert world.lines() == {
        "fiftyone:databaseName": "other",
        "fiftyone:workerApiUrl": "https://internal.example.com",
        "plugins": {"path": "/Workspace/plugins"},
        "secretScope": "theirs",
        "servicePrincipal": {"clientId": TRIGGER},
        "runAs": {"servicePrincipal": "5ad0c0de-0000-4000-8000-00000000000a"},
    }


def test_of_a_variable_and_of_a_secret_only_that_they_differ_is_shown() -> None:
    world = World()
    world.own["env"] = {"REGION": "one"}
    world.workspace.cluster["spark_env_vars"] = {**VARIABLES, "REGION": "'hidden one'"}
    world.workspace.held["FIFTYONE_ENCRYPTION_KEY"] = "hidden-other"
    shown = world.differences()
    assert set(shown) == {"orchestrators.gpu.env.REGION", "fiftyone:encryptionKey"}
    assert "hidden" not in str(shown)
    assert world.lines() == {}


def test_requirements_that_the_stacks_own_lacks_are_kept_by_a_line() -> None:
    world = World()
    world.own["requirements"] = ["einops"]
    world.workspace.files["/Workspace/x/requirements.txt"] = (
        "# by hand\nfiftyone==2.13.1\nultralytics\ntorch==2.6.0  # pinned\nmy-lib\n-r other.txt\n"
        "secret-lib @ https://user:hidden@example.com/x.whl\n"
    )
    assert world.lines() == {"orchestrators": {"gpu": {"requirements": ["einops", "torch==2.6.0", "my-lib"]}}}
    world.own["requirements"] = ["einops", "torch==2.6.0", "my-lib"]
    assert world.differences() == {}
    world.workspace.files = {"/Workspace/x/requirements.txt": "fiftyone==2.12.0"}
    assert "fiftyone==2.12.0 stands there" in world.differences()["orchestrators.gpu.requirements"]
    world.workspace.files.clear()
    assert "cannot be read from here" in world.differences()["orchestrators.gpu.requirements"]


def test_the_import_file_names_what_stands_below_its_components_and_nothing_that_the_state_has() -> None:
    world = World()
    found, state = world.found(), ["urn:pulumi:dev::fiftyone-databricks::fiftyone-databricks:index:Job::gpu"]
    resources = list(standing_resources(found, world.settings))
    assert [(each.kind.rpartition(":")[2], each.id) for each in resources] == [
        ("SecretScope", "theirs"),
        ("Job", JOB),
        ("Permissions", f"/jobs/{JOB}"),
    ]
    content = import_file(resources, STACK, state)
    assert content["nameTable"] == {"Job gpu": state[0]}
    assert [each["logicalName"] for each in content["resources"] if each.get("component")] == ["secrets", "gpu"]
    names = [each["name"] for each in content["resources"]]
    assert len(set(names)) == len(names)
    assert all(each["parent"] in {*names, *content["nameTable"]} for each in content["resources"] if "id" in each)
    assert "hidden" not in json.dumps(content)


def test_an_existing_scope_is_not_imported_and_neither_are_permissions_that_the_stack_does_not_set() -> None:
    world = World()
    world.others = {
        "secretScope": json.dumps({"name": "theirs", "existing": True}),
        "servicePrincipal": json.dumps({"clientId": TRIGGER}),
    }
    found = settings(
        configuration(orchestrators={"gpu": OWN}, **world.others),
        environ={name: value for name, value in ENVIRON.items() if not name.startswith("FIFTYONE_DATABASE")},
    )
    kinds = [each.kind.rpartition(":")[2] for each in standing_resources(world.found(), found)]
    assert kinds == ["Job", "Permissions"]


def test_a_secret_is_handed_over_once_and_keeps_its_value_and_its_text() -> None:
    world = World()
    for _ in range(2):
        hand_over(world.fiftyone, world.settings, "gpu", "HOST_GPU")
    assert world.fiftyone.secrets["HOST_GPU"] == (
        "hidden",
        "Created for gpu [pulumi-stack: fiftyone-databricks/dev/gpu]",
    )
    assert world.fiftyone.writes == ["update_secret HOST_GPU"]
    assert ("gpu", "HOST_GPU") not in list(unmarked(world.found()))


def test_the_policy_packs_lines_are_those_that_it_takes(tmp_path: Path) -> None:
    world, limits = World(), tmp_path / "dev.json"
    lines = list(pool_limit_lines(world.found(), world.settings, limits))
    entry = yaml.safe_load(f"{{{lines[1]}}}")["existing-pool"]["pools"]
    assert [pool.id for pool in existing_pools(entry)] == ["p-gpu", "p-cpu"]
    limits.write_text(json.dumps({"existing-pool": {"pools": entry}}))
    assert list(pool_limit_lines(world.found(), world.settings, limits)) == []
