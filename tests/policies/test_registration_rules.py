"""Rules on what FiftyOne is told and what runs install: allowed and refused, missing and unknown."""

import pytest

from rules.clusters import JOB
from rules.model import Resource
from rules.requirements import OPENCV_BELOW
from rules.values import UNKNOWN
from tests.policies.cases import (
    REMOVED,
    REQUIREMENTS,
    accepts,
    job,
    leaves,
    orchestrator,
    refuses,
    requirements,
    task,
)


def test_the_environment_is_databricks() -> None:
    assert accepts("registration-environment", orchestrator())
    assert refuses("registration-environment", orchestrator(environment="anyscale"))
    assert refuses("registration-environment", orchestrator(environment=REMOVED))
    assert leaves("registration-environment", orchestrator(environment=UNKNOWN))


def test_secrets_have_the_names_that_fiftyone_gives_them() -> None:
    names = orchestrator().properties["secrets"]
    assert accepts("registration-secrets", orchestrator())
    message = refuses("registration-secrets", orchestrator(secrets={**names, "clientSecret": "hidden-value"}))
    assert "does not refer to CLIENT_SECRET_GPU_A for clientSecret" in message
    without = {field: name for field, name in names.items() if field != "host"}
    assert "HOST_GPU_A for host" in refuses("registration-secrets", orchestrator(secrets=without))
    assert leaves("registration-secrets", orchestrator(secrets={**names, "host": UNKNOWN}))
    existing = orchestrator(secrets={**names, "host": "THEIRS"}, existingSecrets=["THEIRS"])
    assert accepts("registration-secrets", existing)


def test_the_job_is_the_stacks_known_or_unknown() -> None:
    assert accepts("registration-job", orchestrator(), job())
    known = Resource(type=JOB, name="gpu", properties={**job().properties, "id": "17"})
    assert accepts("registration-job", orchestrator(job_id="17", of=[known]))
    assert "a job that this stack does not make" in refuses("registration-job", orchestrator(job_id="18", of=[known]))
    assert refuses("registration-job", orchestrator(job_id="17", of=[]), job())
    assert refuses("registration-job", orchestrator(config=REMOVED, of=[]), job())


def test_the_tasks_are_the_jobs() -> None:
    def told(**tasks: str) -> Resource:
        return orchestrator(config={"jobId": UNKNOWN, **tasks})

    assert accepts("registration-job", told(executionTaskId="execute_task"))
    message = refuses("registration-job", told(executionTaskId="execute"))
    assert "names as executionTaskId no task of its job" in message
    assert "execute_task, register_task" in message
    assert "registrationTaskId" in refuses(
        "registration-job", told(executionTaskId="execute_task", registrationTaskId="register")
    )
    assert "executionTaskId" in refuses("registration-job", told())


@pytest.mark.parametrize("pin", ["fiftyone", "fiftyone>=2.13.1", "fiftyone==2.13.*", "fiftyone==2.13.1,!=2.14", "timm"])
def test_fiftyone_is_pinned_exactly(pin: str) -> None:
    assert accepts("requirements", requirements())
    assert "fiftyone" in refuses("requirements", requirements(REQUIREMENTS.replace("fiftyone==2.13.1", pin)))


@pytest.mark.parametrize(
    "bound", ["<4.13.0.90", "<4.13", "==4.12.0.88", "<=4.13.0.89", ">=4,<4.13.0.90", "<5,<4.13.0.90"]
)
def test_opencv_may_be_below_the_version_that_aborts(bound: str) -> None:
    assert accepts("requirements", requirements(REQUIREMENTS.replace("<4.13.0.90", bound)))


@pytest.mark.parametrize("bound", ["", "<4.13.0.91", "==4.13.0.90", "<=4.13.0.90", ">=4.13", "!=4.13.0.90", "==4.*"])
def test_opencv_may_not_reach_it(bound: str) -> None:
    text = REQUIREMENTS.replace("opencv-python<4.13.0.90", f"opencv-python{bound}")
    assert "does not keep opencv-python below 4.13.0.90" in refuses("requirements", requirements(text))


def test_opencv_is_named_because_others_bring_it() -> None:
    without = requirements("fiftyone==2.13.1\nopencv-python<4.13.0.90\n")
    assert "does not keep opencv-python-headless below 4.13.0.90" in refuses("requirements", without)
    more = requirements(f"{REQUIREMENTS}opencv-contrib-python\n")
    assert "opencv-contrib-python below" in refuses("requirements", more)
    assert accepts("requirements", requirements(REQUIREMENTS.replace("90", "91")), limits={OPENCV_BELOW: "4.13.0.91"})


def test_a_package_is_named_once_and_without_conditions() -> None:
    assert "names torch twice" in refuses("requirements", requirements(f"{REQUIREMENTS}torch==2.6.0\n"))
    sometimes = REQUIREMENTS.replace("fiftyone==2.13.1", "fiftyone==2.13.1; python_version > '3.12'")
    assert "does not pin fiftyone" in refuses("requirements", requirements(sometimes))


def test_lines_that_are_no_requirement_are_refused_and_not_shown() -> None:
    line = "--extra-index-url https://hidden-token@pypi.example.com/simple/\n"
    assert "a line that is no requirement" in refuses("requirements", requirements(f"{line}{REQUIREMENTS}"))


def test_a_file_that_cannot_be_read_is_refused_and_one_that_is_unknown_left() -> None:
    assert "cannot be read here" in refuses("requirements", requirements(contentBase64=REMOVED, source="here.txt"))
    assert "cannot be read here" in refuses("requirements", requirements(contentBase64="hidden!"))
    assert leaves("requirements", requirements(contentBase64=UNKNOWN))
    other = Resource(type=requirements().type, name="entrypoint.py", properties={"path": "/Shared/entrypoint.py"})
    assert accepts("requirements", other)


def test_tasks_install_from_the_stacks_file_alone() -> None:
    assert accepts("requirements-file", job(), requirements())
    message = refuses("requirements-file", job())
    assert "tasks execute_task, register_task of job gpu install from" in message
    assert "no requirements file" in refuses("requirements-file", job(tasks=[task(libraries=REMOVED)]), requirements())
    beside = [*task()["libraries"], {"pypi": {"package": "fiftyone"}}]
    assert "beside" in refuses("requirements-file", job(tasks=[task(libraries=beside)]), requirements())
