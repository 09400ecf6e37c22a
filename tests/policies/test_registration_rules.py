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
    found,
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


def installing(path: str) -> Resource:
    return job(tasks=[task(libraries=[{"requirements": path}])])


def test_the_file_that_tasks_install_from_is_the_one_that_the_stack_makes() -> None:
    own = "/Workspace/Shared/fiftyone-dev/gpu-requirements.txt"
    for path in (UNKNOWN, "/Shared/fiftyone-dev/gpu-requirements.txt", own):
        assert accepts("requirements-file", installing(own), requirements(path=path))
    for foreign in ("/Volumes/theirs/gpu-requirements.txt", "/Workspace/Shared/theirs/gpu-requirements.txt"):
        message = refuses("requirements-file", installing(foreign), requirements())
        assert f"install from {foreign}, which this stack does not make" in message
    assert refuses("requirements-file", installing("/Volumes/theirs/gpu-requirements.txt"), requirements(path=UNKNOWN))
    token = "https://hidden-token@pypi.example.com/gpu-requirements.txt"
    assert "install from what is no path" in refuses("requirements-file", installing(token), requirements())


@pytest.mark.parametrize("path", [UNKNOWN, "/Shared/gpu-deps.txt"])
def test_the_file_that_tasks_install_from_is_one_whose_content_is_looked_at(path: object) -> None:
    made = requirements("fiftyone\n", path=path)
    unread = Resource(type=made.type, name="gpu-deps.txt", properties=made.properties)
    assert accepts("requirements", unread)
    message = refuses("requirements-file", installing("/Workspace/Shared/gpu-deps.txt"), unread)
    assert "gpu-deps.txt, whose name does not end in requirements.txt" in message


def test_what_a_task_repeats_installs_from_there_as_well_or_is_left_to_the_update() -> None:
    nested = task(forEachTask={"task": task("inner", libraries=REMOVED)}, libraries=REMOVED)
    assert "tasks inner of job gpu" in refuses("requirements-file", job(tasks=[nested]), requirements())
    assert accepts("requirements-file", job(tasks=[task(forEachTask=UNKNOWN, libraries=REMOVED)]), requirements())


@pytest.mark.parametrize("name", ["fiftyone", "opencv-python", "torch"])
def test_nothing_is_installed_from_an_address(name: str) -> None:
    kept = "".join(f"{line}\n" for line in REQUIREMENTS.splitlines() if not line.startswith((f"{name}=", f"{name}<")))
    kept = kept.replace("torch\n", "") if name == "torch" else kept
    message = refuses("requirements", requirements(f"{kept}{name} @ https://hidden-token@host.invalid/any.whl\n"))
    assert f"installs {name} from an address" in message
    assert "host.invalid" not in message


@pytest.mark.parametrize("version", ["===abc", f"=={'9' * 5000}", f"<{'9' * 5000}"])
def test_a_version_that_is_none_is_refused_and_raises_nothing(version: str) -> None:
    text = REQUIREMENTS.replace("opencv-python<4.13.0.90", f"opencv-python{version}")
    assert any("does not keep opencv-python below" in one.message for one in found("requirements", requirements(text)))


def test_text_that_nothing_can_be_read_from_raises_nothing() -> None:
    assert "cannot be read here" in refuses("requirements", requirements(contentBase64="hiddené"))
    brackets = f"torch; {'(' * 9000}python_version > '3'{')' * 9000}"
    assert found("requirements", requirements(f"{REQUIREMENTS.replace('torch', brackets)}"))


def test_a_literal_is_no_job_of_the_stacks_before_the_job_is_there() -> None:
    assert refuses("registration-job", orchestrator(job_id="17"))
    assert refuses("registration-job", orchestrator(job_id="17", of=[job(id=REMOVED)]))
