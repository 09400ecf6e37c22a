"""A registration run is followed to its end, and an end that is no success is an error that helps."""

from itertools import pairwise

import pytest
from databricks.sdk.errors import InternalError, NotFound, PermissionDenied
from databricks.sdk.service.jobs import RunOutput

from tests.unit.refresh_fakes import COMMAND, RUN, URL, FakeJobs, Fakes, FakeTime, registration, run, update


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    return Fakes.installed(monkeypatch)


@pytest.fixture
def jobs(fakes: Fakes) -> FakeJobs:
    return fakes.jobs


@pytest.fixture
def clock(fakes: Fakes) -> FakeTime:
    return fakes.clock


def test_each_run_has_a_token_of_its_own(jobs: FakeJobs) -> None:
    update(COMMAND)
    update(COMMAND)
    assert len({each["idempotency_token"] for each in jobs.started}) == 2


def test_the_run_and_then_the_operators_are_shown(
    fakes: Fakes, jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.fiftyone.found = registration("c0ffee", "@us/zebra", "@us/ape")
    jobs.looks = [run("QUEUED"), run("RUNNING", task="PENDING"), run("RUNNING"), run("RUNNING"), *jobs.looks]
    update(COMMAND)
    assert capsys.readouterr().out.splitlines() == [
        f"registering the operators of gpu: run 77 of job 55, {URL}",
        "operators of gpu: run 77 is QUEUED (0 s)",
        "operators of gpu: run 77 is PENDING (1 s)",
        "operators of gpu: run 77 is RUNNING (2 s)",
        "FiftyOne lists these operators of gpu: @us/ape, @us/zebra",
    ]


def test_looks_become_rarer_and_a_wait_is_never_silent_for_more_than_a_minute(
    jobs: FakeJobs, clock: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[float] = []
    monkeypatch.setattr("builtins.print", lambda *_text, **_options: said.append(clock.monotonic()))
    jobs.looks = [*[run("RUNNING")] * 60, *jobs.looks]
    update(COMMAND)
    assert clock.slept[0] == 1
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == 10
    assert max(later - earlier for earlier, later in pairwise(said)) <= 60
    assert len(said) < 20


@pytest.mark.parametrize("trouble", [InternalError("bad gateway"), TimeoutError("Timed out"), ConnectionError("reset")])
def test_a_look_that_fails_does_not_lose_the_run(
    jobs: FakeJobs, trouble: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.looks = [trouble, trouble, run("RUNNING"), trouble, *jobs.looks]
    assert update(COMMAND)["knownCommand"] == COMMAND
    assert len(jobs.started) == 1
    assert capsys.readouterr().out.count(URL) == 1


@pytest.mark.parametrize("refusal", [PermissionDenied("no view permission"), NotFound("Run 77 does not exist.")])
def test_a_run_that_may_not_be_looked_at_is_not_waited_for(jobs: FakeJobs, clock: FakeTime, refusal: Exception) -> None:
    jobs.looks = [run("RUNNING"), refusal]
    with pytest.raises(
        RuntimeError, match=r"cannot be followed: (no view permission|Run 77 does not exist)\. "
    ) as raised:
        update(COMMAND)
    assert URL in str(raised.value)
    assert len(clock.slept) == 1
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)


@pytest.mark.parametrize("refusal", [PermissionDenied("no manage-run permission"), TimeoutError("Timed out")])
def test_a_run_that_does_not_start_is_an_error(jobs: FakeJobs, refusal: Exception) -> None:
    jobs.refused = refusal
    with pytest.raises(RuntimeError, match=rf"gpu, register_task of job 55, could not be started: {refusal}") as raised:
        update(COMMAND)
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)


@pytest.mark.parametrize(
    ("code", "result", "said"),
    [
        ("RUN_EXECUTION_ERROR", "FAILED", r"failed \(RUN_EXECUTION_ERROR\)"),
        ("CLUSTER_ERROR", "FAILED", r"failed \(CLUSTER_ERROR\)"),
        ("CANCELED", "TIMEDOUT", r"timed out \(CANCELED\)"),
        ("USER_CANCELED", "CANCELED", r"was cancelled \(USER_CANCELED\)"),
        ("MAX_CONCURRENT_RUNS_EXCEEDED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "was skipped"),
        ("SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES", r"ended without success \(SUCCESS_WITH_FAILURES\)"),
        ("DISABLED", "", r"ended without success \(DISABLED\)"),
    ],
)
def test_an_end_without_success_is_an_error_that_says_how_and_what_to_do(
    jobs: FakeJobs, code: str, result: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.looks = [run("TERMINATED", code, "The platform's words.", result=result)]
    with pytest.raises(RuntimeError, match=rf"operators of gpu {said}.*: The platform's words\. ") as raised:
        update(COMMAND)
    assert URL in str(raised.value)
    assert "run the same command again" in str(raised.value)
    assert "FiftyOne lists" not in capsys.readouterr().out


def test_an_end_that_no_code_explains_is_no_success(jobs: FakeJobs) -> None:
    jobs.looks = [run("TERMINATED")]
    with pytest.raises(RuntimeError, match=r"ended without success \(UNKNOWN\): Databricks does not say why"):
        update(COMMAND)


def test_a_failure_shows_the_end_of_the_log_and_the_error(jobs: FakeJobs) -> None:
    jobs.looks = [run("TERMINATED", "RUN_EXECUTION_ERROR", result="FAILED")]
    jobs.output = RunOutput(logs="".join(f"line {number}\n" for number in range(1000)), error="SystemExit: 3")
    with pytest.raises(RuntimeError) as raised:
        update(COMMAND)
    _, _, log = str(raised.value).partition("The end of its log:\n")
    shown = log.splitlines()
    assert len(shown) == 40
    assert shown[-2:] == ["  line 999", "  SystemExit: 3"]


def test_a_failure_whose_cause_is_known_says_it(jobs: FakeJobs) -> None:
    jobs.looks = [run("TERMINATED", "DRIVER_ERROR", "Could not reach driver of cluster 1.", result="FAILED")]
    with pytest.raises(RuntimeError, match=r"The driver died\..* What to do: `make preflight STACK=…`"):
        update(COMMAND)


@pytest.mark.parametrize("output", [NotFound("no output"), ConnectionError("reset"), RunOutput()])
def test_a_log_that_is_not_there_hides_no_failure(jobs: FakeJobs, output: RunOutput | Exception) -> None:
    jobs.looks = [run("TERMINATED", "CLUSTER_ERROR", "No machines.", result="FAILED")]
    jobs.output = output
    with pytest.raises(RuntimeError, match="No machines") as raised:
        update(COMMAND)
    assert "log" not in str(raised.value)


def test_a_run_is_cancelled_when_its_time_is_over(jobs: FakeJobs, clock: FakeTime) -> None:
    jobs.looks, jobs.output = [run("RUNNING", task="PENDING")], RunOutput(logs="installing\n")
    with pytest.raises(RuntimeError, match=r"had not ended after 1.5 minutes, PENDING, and was cancelled") as raised:
        update(COMMAND, timeoutMinutes=1.5)
    assert jobs.cancelled == [RUN]
    assert sum(clock.slept) == 90
    assert URL in str(raised.value)
    assert str(raised.value).endswith("\n  installing")


def test_time_is_over_as_well_for_a_run_that_no_look_reaches(jobs: FakeJobs) -> None:
    jobs.looks = [ConnectionError("reset")]
    with pytest.raises(RuntimeError, match=r"had not ended after 30 minutes, of unknown state \(reset\), and was canc"):
        update(COMMAND)
    assert jobs.cancelled == [RUN]


def test_a_run_that_cannot_be_cancelled_is_said_to_be_there_still(jobs: FakeJobs) -> None:
    jobs.looks, jobs.cancel_refused = [run("RUNNING")], PermissionDenied("no")
    with pytest.raises(RuntimeError, match=r"could not be cancelled, so that it may still be there \(no\)"):
        update(COMMAND)


def test_a_run_that_ends_at_the_last_moment_counts(jobs: FakeJobs) -> None:
    jobs.looks = [run("RUNNING"), run("RUNNING"), *jobs.looks]
    update(COMMAND, timeoutMinutes=2 / 60)
    assert not jobs.cancelled
