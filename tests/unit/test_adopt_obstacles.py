"""Each obstacle to adopting is named, alone and without a secret's value, and a choice of the settings settles it."""

import json
from collections.abc import Callable

import pytest

from adoption.hand_over import unmarked
from adoption.import_file import job_urn, orchestrator_urn
from adoption.live_workspace import LiveScope
from tests.unit.adoption_world import FIELDS, JOB, ME, VARIABLES, World, job
from tests.unit.settings_cases import STACK


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
    if all(found.job for found in world.found()) and len(world.found()) == 1:
        assert "hidden" not in str(world.differences()) + str(world.lines())


def test_tasks_that_cannot_stay_are_said_with_the_way_out() -> None:
    world = World()
    for task in world.workspace.jobs[JOB][0]["tasks"]:
        task["task_key"] = f"my_{task['task_key']}"
    tasks = {"executionTaskId": "my_execute_task", "registrationTaskId": "my_register_task"}
    world.register(config={"jobId": JOB, **tasks})
    differs, way = world.obstacles()
    assert "differs from the settings in its config" in differs
    assert "FiftyOne starts my_execute_task and my_register_task of job 100" in way
    assert 'delete_orchestrator("gpu")' in way


def test_a_task_for_registration_that_only_one_side_has_is_mended_by_the_settings() -> None:
    world = World()
    world.own.pop("registrationPool")
    (differs,) = world.obstacles()
    assert "in its config" in differs
    assert world.lines() == {"orchestrators": {"gpu": {"registrationPool": "p-cpu"}}}
    world = World()
    world.register(config={"jobId": JOB, "executionTaskId": "execute_task"})
    _, way = world.obstacles()
    assert "drop `registrationNodeType` or `registrationPool`" in way


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
