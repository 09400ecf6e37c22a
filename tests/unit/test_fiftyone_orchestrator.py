"""The component writes secrets first, registers by their names, and refreshes last; values are secrets throughout."""

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components.fiftyone_orchestrator import FiftyOneOrchestrator
from components.job import JobOutputs
from components.registration_args import registration_args
from tests.unit.settings_cases import TRIGGER, configuration, settings

DYNAMIC = "pulumi-python:dynamic/fiftyone"


class Recorder(mocks.Mocks):
    """Takes down what the engine would be asked for."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, dict[str, Any]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made.append((args.typ, args.name, args.inputs))
        outs = {"token": "c0ffee", "settled": True} if args.typ.startswith(DYNAMIC) else {}
        return f"{args.name}-id", {**args.inputs, **outs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)

    def inputs(self, kind: str) -> list[dict[str, Any]]:
        return [inputs for typ, _, inputs in self.made if typ == f"{DYNAMIC}:{kind}"]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    mocks.set_mocks(recorder, preview=False)
    yield recorder


@pulumi.runtime.test
def deploy(config: dict[str, str]) -> None:
    """Register the orchestrator `gpu` of these settings, with a job that is there; returns when all is made."""
    registers = "registrationNodeType" in config["fiftyone-databricks:orchestrators"]
    job = JobOutputs(
        jobId=pulumi.Output.from_input("123"),
        jobUrl=pulumi.Output.from_input("https://example.com/#job/123"),
        executionTaskKey="execute_task",
        registrationTaskKey="register_task" if registers else None,
        poolId="pool",
        registrationPoolId=None,
    )
    FiftyOneOrchestrator("gpu", registration_args(settings(config), "gpu", job, None, None))


def plain(value: Any) -> Any:
    """A mocked input without the wrapping of secrets."""
    return pulumi.runtime.rpc.unwrap_rpc_secret(value)


def test_four_secrets_one_registration_by_their_names_and_one_refresh(recorder: Recorder) -> None:
    entries = {"nodeType": "x", "registrationNodeType": "y", "description": " Runs \n"}
    deploy(configuration(orchestrators={"gpu": entries}))
    secrets = recorder.inputs("Secret")
    assert {secret["key"]: plain(secret["value"]) for secret in secrets} == {
        "HOST_GPU": "https://example.cloud.databricks.com",
        "ACCOUNT_ID_GPU": "00000000-0000-4000-8000-000000000000",
        "CLIENT_ID_GPU": TRIGGER,
        "CLIENT_SECRET_GPU": "hidden-client-secret",
    }
    assert all(pulumi.runtime.rpc.is_rpc_secret(secret["value"]) for secret in secrets)
    (registration,) = recorder.inputs("Orchestrator")
    assert registration["instanceId"] == "gpu"
    assert registration["description"] == "Runs"
    assert registration["environment"] == "databricks"
    assert registration["config"] == {
        "jobId": "123",
        "executionTaskId": "execute_task",
        "registrationTaskId": "register_task",
    }
    assert registration["secrets"] == {
        "host": "HOST_GPU",
        "accountId": "ACCOUNT_ID_GPU",
        "clientId": "CLIENT_ID_GPU",
        "clientSecret": "CLIENT_SECRET_GPU",
    }
    assert pulumi.runtime.rpc.is_rpc_secret(registration["ownSecrets"])
    own = plain(registration["ownSecrets"])["CLIENT_SECRET_GPU"]
    assert plain(own["description"]).endswith("[pulumi-stack: fiftyone-databricks/dev/gpu #c0ffee]")
    (refresh,) = recorder.inputs("OperatorRefresh")
    assert (refresh["taskKey"], refresh["ownTask"], refresh["registration"]) == ("register_task", True, "c0ffee")
    kinds = [typ.rpartition(":")[2] for typ, _, _ in recorder.made if typ.startswith(DYNAMIC)]
    assert kinds == ["Secret"] * 4 + ["Orchestrator", "OperatorRefresh"]


def test_without_a_registration_task_none_is_named_and_the_execution_task_registers(recorder: Recorder) -> None:
    deploy(configuration(orchestrators={"gpu": {"nodeType": "x"}}))
    (registration,) = recorder.inputs("Orchestrator")
    assert registration["config"] == {"jobId": "123", "executionTaskId": "execute_task"}
    (refresh,) = recorder.inputs("OperatorRefresh")
    assert (refresh["taskKey"], refresh["ownTask"]) == ("execute_task", False)


def test_existing_secrets_are_named_and_none_is_made_for_them(recorder: Recorder) -> None:
    deploy(configuration(secretsFrom='{"clientId": "THE_CLIENT", "clientSecret": "THE_SECRET"}'))
    assert {secret["key"] for secret in recorder.inputs("Secret")} == {"HOST_GPU", "ACCOUNT_ID_GPU"}
    (registration,) = recorder.inputs("Orchestrator")
    assert registration["existingSecrets"] == ["THE_CLIENT", "THE_SECRET"]
    assert registration["secrets"]["clientSecret"] == "THE_SECRET"
