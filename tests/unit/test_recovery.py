"""What recovery takes for the stack's own, and what it ends and removes of a run that is over: nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace as Thing
from typing import Any

import psutil
import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied

from adoption.import_file import JOB, SCOPE
from components.pool_properties import InstancePoolsArgs, pool_properties
from recovery import dead_runs
from recovery.orphans import gone, lacks, owned
from recovery.state import State
from tests.unit.lock_files import ended_pid, written_lock
from tests.unit.settings_cases import STACK, configuration, settings
from toolchain.environment import PROJECT
from toolchain.locks import backend_folder, locks, of_dead_runs, without
from toolchain.stack import RUN_MARK

TAG = f"{PROJECT}.{STACK}."


def job(job_id: int, name: str, tag: str, pool: str = "", days: int = 0) -> Thing:
    clusters = [Thing(new_cluster=Thing(instance_pool_id=pool, driver_instance_pool_id=pool))]
    tags = {"pulumi-stack": tag} if tag else None
    made = (datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000
    described = Thing(name=name, tags=tags, job_clusters=clusters, tasks=None)
    return Thing(job_id=job_id, created_time=made, settings=described)


NOTHING: dict[str, Any] = {"external_id": None, "roles": None, "groups": None}
MAKES_ITS_OWN = configuration(fiftyone_databricks__servicePrincipal='{"create": true}')


def found(
    *,
    jobs: Any = (),
    pools: Any = (),
    scopes: Any = None,
    principals: Any = None,
    begun: Any = None,
    runs: Any = (),
    acls: Any = ("MANAGE",),
    backend: str = "DATABRICKS",
    about: Any = None,
    config: dict[str, str] = MAKES_ITS_OWN,
) -> list[tuple[str, str]]:
    """Names and ids of what is taken for the stack's; `scopes` has keys by name, `principals` secrets by id."""
    scopes, principals = scopes or {}, principals or {}
    client: Any = Thing(
        jobs=Thing(
            list=lambda expand_tasks=False: jobs, list_runs=lambda job_id, limit: [job_id] if job_id in runs else []
        ),
        instance_pools=Thing(list=lambda: pools),
        secrets=Thing(
            list_scopes=lambda: [Thing(name=name, backend_type=Thing(value=backend)) for name in scopes],
            list_secrets=scopes.get,
            list_acls=lambda scope: [Thing(permission=Thing(value=level)) for level in acls],
        ),
        service_principals=Thing(
            list=lambda **_: [
                Thing(id=each, application_id=f"{each * 8}-0000-4000-8000-000000000000", **NOTHING | (about or {}))
                for each in principals
            ]
        ),
        service_principal_secrets_proxy=Thing(list=principals.get),
    )
    return [(each.name, each.id) for each in owned(settings(config), begun or {}, client)]


def test_a_job_is_the_stacks_by_its_tag_and_its_name() -> None:
    ours = job(2, "fiftyone-dev-gpu", f"{TAG}gpu")
    foreign = [
        job(1, "Copy of fiftyone-dev-gpu", f"{TAG}gpu"),
        job(3, "fiftyone-dev-gpu", ""),
        job(4, "fiftyone-dev-gpu", f"{PROJECT}.dev2.gpu"),
        job(5, "fiftyone-dev-a-b", f"{PROJECT}.dev-a.b"),
        job(6, "gpu", f"{TAG}gpu"),
    ]
    assert found(jobs=[*foreign, ours]) == [("gpu", "2")]


def test_a_job_that_has_run_was_not_made_a_moment_ago_by_a_run_that_never_learnt_of_it() -> None:
    assert found(jobs=[job(2, "fiftyone-dev-gpu", f"{TAG}gpu")], runs=[2]) == []


def test_a_job_whose_runs_may_be_forgotten_is_not_taken_for_one_that_never_ran() -> None:
    assert found(jobs=[job(2, "fiftyone-dev-gpu", f"{TAG}gpu", days=58)]) == [("gpu", "2")]
    assert found(jobs=[job(2, "fiftyone-dev-gpu", f"{TAG}gpu", days=60)]) == []


def test_a_pool_is_the_stacks_by_the_whole_of_its_name() -> None:
    orchestrator = settings().orchestrators["gpu"]
    args = InstancePoolsArgs(stack=STACK, instance_id="gpu", orchestrator=orchestrator, image=None, run_as=None)
    name = pool_properties(args, "execution")["instance_pool_name"]
    pools = [Thing(instance_pool_name=each, instance_pool_id=each[-6:]) for each in (name, f"{name[:-6]}000000")]
    assert found(pools=pools) == [("gpu-execution", name[-6:])]
    begun = {f"{name[:-6]}000000": "gpu-execution"}
    assert found(pools=pools, begun=begun) == [("gpu-execution", name[-6:]), ("gpu-execution", "000000")]
    at_work = [job(1, "of the same stack on another backend", "", pool=name[-6:])]
    assert found(pools=pools, jobs=at_work) == []


def test_a_scope_or_a_service_principal_that_holds_secrets_is_somebody_elses() -> None:
    assert found(scopes={"fiftyone-dev": []}, principals={"7": []}) == [("scope", "fiftyone-dev"), ("trigger", "7")]
    assert found(scopes={"fiftyone-dev": ["KEY"], "other": []}, principals={"7": ["secret"]}) == []


@pytest.mark.parametrize("acls", [["READ"], ["MANAGE", "READ"], ["MANAGE", "MANAGE"]])
def test_a_scope_that_others_have_a_right_to_is_somebody_elses(acls: list[str]) -> None:
    assert found(scopes={"fiftyone-dev": []}, acls=acls) == []


def test_a_scope_whose_rights_may_not_be_asked_for_is_somebody_elses() -> None:
    def refused() -> Iterator[str]:
        raise PermissionDenied("not yours")
        yield

    assert found(scopes={"fiftyone-dev": []}, acls=refused()) == []


def test_a_scope_on_a_key_vault_is_somebody_elses() -> None:
    assert found(scopes={"fiftyone-dev": []}, backend="AZURE_KEYVAULT") == []


@pytest.mark.parametrize("about", [{"external_id": "1"}, {"roles": ["role"]}, {"groups": [Thing(display="admins")]}])
def test_a_service_principal_that_is_somewhere_is_somebody_elses(about: dict[str, Any]) -> None:
    assert found(principals={"7": []}, about=about) == []


def test_a_service_principal_is_in_the_group_of_all_from_the_first() -> None:
    assert found(principals={"7": []}, about={"groups": [Thing(display="users")]}) == [("trigger", "7")]


def test_a_service_principal_whose_secrets_may_not_be_asked_for_is_somebody_elses() -> None:
    class Refusing(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            raise PermissionDenied("not yours")

    assert found(principals=Refusing({"7": []})) == []


def test_a_service_principal_is_the_stacks_only_where_it_makes_one_and_another_runs_its_jobs() -> None:
    assert found(principals={"7": []}, config=configuration()) == []
    runs_as = {"fiftyone_databricks__runAs": '{"servicePrincipal": "77777777-0000-4000-8000-000000000000"}'}
    own = {"fiftyone_databricks__servicePrincipal": '{"create": true}'}
    assert found(principals={"7": [], "8": []}, config=configuration(**own, **runs_as)) == [("trigger", "8")]


@contextmanager
def marked_process(mark: str, program: str = sys.executable) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, and carries the mark of a run."""
    process = subprocess.Popen([program, "-c", "input()"], stdin=subprocess.PIPE, env={RUN_MARK: mark})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_is_left_of_a_run_without_its_engine_is_ended_and_of_no_other(tmp_path: Path) -> None:
    engine = tmp_path / "pulumi"
    engine.symlink_to(sys.executable)
    with (
        marked_process("test-recovery/dead") as left,
        marked_process("test-recovery/alive") as provider,
        marked_process("test-recovery/alive", str(engine)) as alive,
        marked_process("test-recovery-2/dead") as other,
    ):
        assert psutil.Process(alive.pid).name() == "pulumi"
        assert dead_runs.end_processes("test-recovery") == 1
        assert not psutil.pid_exists(left.pid)
        assert [process.poll() for process in (provider, alive, other)] == [None] * 3


def test_a_lock_is_over_when_its_process_is_no_more_or_another_one_has_its_number(tmp_path: Path) -> None:
    ended = ended_pid()
    before = (datetime.now(UTC) - timedelta(days=365)).isoformat()
    assert dead_runs.is_over(written_lock(tmp_path)) is False
    assert dead_runs.is_over(written_lock(tmp_path, pid=ended)) is True
    assert dead_runs.is_over(written_lock(tmp_path, timestamp=before)) is True
    assert dead_runs.is_over(written_lock(tmp_path, pid=ended, hostname="another")) is None


@pytest.mark.parametrize(("is_gone", "elsewhere", "expected"), [(False, False, 0), (True, False, 1), (True, True, 0)])
def test_a_run_is_dead_for_sure_where_its_process_is_gone_from_this_machine(
    tmp_path: Path, is_gone: bool, elsewhere: bool, expected: int
) -> None:
    process = {"pid": ended_pid()} if is_gone else {}
    written_lock(tmp_path, **process, **({"hostname": "another"} if elsewhere else {}))
    assert len(of_dead_runs(STACK, tmp_path)) == expected


def test_only_the_lock_itself_is_removed(tmp_path: Path) -> None:
    lock = written_lock(tmp_path)
    (lock.file.parent / "2.json").write_text("{}")
    with without([lock]):
        pass
    assert [file.name for file in lock.file.parent.iterdir()] == ["2.json"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_lock_is_a_sign_until_what_it_is_a_sign_of_is_put_right(tmp_path: Path, failure: type[BaseException]) -> None:
    lock = written_lock(tmp_path)
    with pytest.raises(failure), without([lock]):
        assert list(locks(STACK, tmp_path)) == []
        raise failure
    assert list(locks(STACK, tmp_path)) == [lock]
    assert lock.file.with_name("1.json.attrs").read_text() == "{}"


def test_what_was_half_written_beside_the_state_goes_and_the_state_stays(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / PROJECT
    folder.mkdir(parents=True)
    kept = ("dev.json", "dev.json.bak", "dev.json.bak.attrs", "dev2.json.attrs", "dev2.json.18.tmp")
    for name in kept:
        (folder / name).write_text("" if name.startswith("dev2") else "{}")
    assert not dead_runs.mend_checkpoint(STACK, tmp_path)
    for name in ("dev.json.attrs", "dev.json.18.tmp"):
        (folder / name).write_text("")
    assert dead_runs.mend_checkpoint(STACK, tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == sorted(kept)


def test_what_is_pending_is_named_and_pools_that_were_being_made_are_known() -> None:
    pool = f"urn:pulumi:dev::{PROJECT}::a$databricks:index/instancePool:InstancePool::gpu-execution"
    kind = "databricks:index/instancePool:InstancePool"
    begun = {"urn": pool, "type": kind, "inputs": {"instancePoolName": "fiftyone-dev-gpu-execution-123456"}}
    resources = [
        {"urn": "a", "id": "1", "type": SCOPE, "initErrors": ["not found"]},
        {"urn": "b", "id": "2", "type": "x", "delete": True},
    ]
    pending = [{"type": "creating", "resource": begun}, {"type": "deleting", "resource": {"urn": "b", "type": kind}}]
    state = State(exported={"deployment": {"resources": resources, "pending_operations": pending}})
    assert (state.urns, state.ids) == ({"a"}, {"1", "2"})
    assert state.pending == ["creating gpu-execution", "deleting b"]
    assert state.has_unread_scope
    assert state.begun_pools == {"fiftyone-dev-gpu-execution-123456": "gpu-execution"}


def test_a_job_that_is_gone_is_known_where_nothing_depends_on_it() -> None:
    def entry(name: str, job_id: str, *needed: str, **more: bool) -> dict[str, Any]:
        return {"urn": name, "id": job_id, "type": JOB, "dependencies": needed, **more}

    needed = [entry("needed", "3"), entry("needed", "4", delete=True), entry("x", "5", "needed")]
    state = State(exported={"deployment": {"resources": [entry("gone", "1"), entry("there", "2"), *needed]}})
    assert state.jobs == {"1": "gone", "2": "there", "4": "needed", "5": "x"}

    def get(job_id: int) -> None:
        if job_id in (1, 4):
            raise InvalidParameterValue(f"Job {job_id} does not exist.")

    client: Any = Thing(jobs=Thing(get=get))
    assert gone(state.jobs, client) == {"1", "4"}


def test_a_pool_or_a_scope_that_the_workspace_lacks_is_noticed() -> None:
    client: Any = Thing(
        instance_pools=Thing(list=lambda: [Thing(instance_pool_id="1")]),
        secrets=Thing(list_scopes=lambda: [Thing(name="scope")]),
    )
    assert not lacks({"1"}, {"scope"}, client)
    assert lacks({"1", "2"}, {"scope"}, client)
    assert lacks({"1"}, {"scope", "other"}, client)
    client = None
    assert not lacks(set(), set(), client)


def test_a_folder_backend_is_found_as_the_engine_reads_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(address: str) -> Path | None:
        monkeypatch.setattr("toolchain.locks.pulumi_json", lambda *_: {"url": address})
        return backend_folder({}, tmp_path)

    assert at("file:///srv/state?no_tmp_dir=true") == Path("/srv/state/.pulumi")
    assert at("file://~") == Path.home() / ".pulumi"
    assert at("file://./state") == tmp_path / "state" / ".pulumi"
    assert at("s3://bucket") is None
