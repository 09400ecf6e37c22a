"""What the resolver keeps and replaces is what pip would, its failures are told apart, and no token leaves it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from preflight.resolver import NoAnswerError, NoSolutionError, RefusedError, Resolver, hidden
from tests.unit.package_index import served
from tests.unit.preflight_cases import SECRET, resolver, small_image

PUBLIC = {
    "alpha": {"1.0": ["beta>=2"], "2.0": ["beta>=2"]},
    "beta": {"1.0": [], "2.0": [], "3.0": []},
    "gamma": {"1.0": ["beta<2"], "2.0": ["beta>=2"]},
}


def test_what_is_installed_and_satisfies_is_kept(tmp_path: Path) -> None:
    with served(PUBLIC) as public:
        changes = resolver(tmp_path, public).changes("alpha\n", small_image({"beta": "2.0"}))
    assert changes == {"alpha": "2.0"}


def test_what_is_installed_and_does_not_satisfy_is_replaced_by_the_newest_that_does(tmp_path: Path) -> None:
    with served(PUBLIC) as public:
        changes = resolver(tmp_path, public).changes("alpha\n", small_image({"beta": "1.0"}))
    assert changes == {"alpha": "2.0", "beta": "3.0"}


def test_a_package_that_only_the_image_has_counts_as_there(tmp_path: Path) -> None:
    image = small_image({"only-here": "5.0", "beta": "2.0"}, {"only-here": ("beta<3",)})
    with served(PUBLIC) as public:
        changes = resolver(tmp_path, public).changes("only-here\n", image)
    assert changes == {}


def test_uv_is_held_to_the_newest_of_what_is_asked_for_by_name_unless_they_do_not_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def plan(_: Resolver, requirements: str, __: Any, flags: Sequence[str], ___: Any) -> dict[str, str]:
        asked.append((requirements, "--no-deps" in flags))
        if "gamma==2.0" in requirements and "delta" in requirements:
            raise NoSolutionError("they do not go together")
        return {"gamma": "2.0"}

    monkeypatch.setattr(Resolver, "_plan", plan)
    with served(PUBLIC) as public:
        resolver(tmp_path, public).changes("gamma\n", small_image({}))
        assert asked == [("gamma\n", True), ("gamma\n\ngamma==2.0", False)]
        asked.clear()
        resolver(tmp_path, public).changes("gamma\ndelta\n", small_image({}))
    assert asked[-1] == ("gamma\ndelta\n", False)


def test_requirements_that_cannot_be_met_say_which_and_why(tmp_path: Path) -> None:
    with served(PUBLIC) as public, pytest.raises(NoSolutionError) as raised:
        resolver(tmp_path, public).changes("alpha\nbeta<2\n", small_image({}))
    assert "alpha" in str(raised.value)
    assert "beta" in str(raised.value)


def test_an_index_out_of_reach_is_no_answer_and_not_a_missing_package(tmp_path: Path) -> None:
    with served(PUBLIC, status=503) as public, pytest.raises(NoAnswerError, match="could not be reached"):
        resolver(tmp_path, public).changes("alpha\n", small_image({}))


def test_a_private_index_that_refuses_its_credentials_is_told_from_one_without_the_package(tmp_path: Path) -> None:
    with served(PUBLIC) as public, served({}, password="user:right") as private:
        url = private.url(f"user:{SECRET}@")
        with pytest.raises(RefusedError):
            resolver(tmp_path, public, url).newest("fiftyone", small_image({}), private=True)
    with served(PUBLIC) as public, served({}, password=f"user:{SECRET}") as private:
        url = private.url(f"user:{SECRET}@")
        with pytest.raises(NoSolutionError):
            resolver(tmp_path, public, url).newest("fiftyone", small_image({}), private=True)


def test_the_best_version_of_both_indexes_is_taken_as_pip_takes_it(tmp_path: Path) -> None:
    with served(PUBLIC) as public, served({"beta": {"9.0": []}, "alpha": {"0.1": []}}) as private:
        changes = resolver(tmp_path, public, private.url()).changes("alpha\nbeta\n", small_image({}))
    assert changes == {"alpha": "2.0", "beta": "9.0"}


def test_the_token_is_in_no_argument_and_no_file_of_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[Any], dict[str, str]]] = []
    real = subprocess.run

    def run(command: list[Any], **more: Any) -> Any:
        calls.append((command, more["env"]))
        written = [file.read_text() for file in Path(more["cwd"]).rglob("*") if file.is_file()]
        assert not any(SECRET in text for text in written)
        return real(command, **more)

    monkeypatch.setattr(subprocess, "run", run)
    with served(PUBLIC) as public, served({}, password=f"user:{SECRET}") as private:
        resolver(tmp_path, public, private.url(f"user:{SECRET}@")).changes("beta\n", small_image({}))
        assert private.asked, "the private index has to be asked"
    assert calls
    for command, environ in calls:
        assert not any(SECRET in str(part) for part in command)
        assert any(SECRET in value for value in environ.values()), "uv gets it by environment"


def test_secrets_of_the_stack_are_not_given_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    real = subprocess.run

    def run(command: list[Any], **more: Any) -> Any:
        seen.update(more["env"])
        return real(command, **more)

    monkeypatch.setenv("DATABRICKS_TOKEN", "hidden")
    monkeypatch.setenv("FIFTYONE_API_KEY", "hidden")
    monkeypatch.setattr(subprocess, "run", run)
    with served(PUBLIC) as public:
        resolver(tmp_path, public).changes("beta\n", small_image({}))
    assert "hidden" not in seen.values()


@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("path", ["simple", f"{SECRET}/simple", f"simple/?token={SECRET}"])
def test_no_failure_shows_the_token(tmp_path: Path, status: int, path: str) -> None:
    with served(PUBLIC) as public, served({}, status=status) as private:
        url = private.url(f"user:{SECRET}@", path).rstrip("/")
        asked = resolver(tmp_path, public, url)
        with pytest.raises((NoAnswerError, NoSolutionError)) as raised:
            asked.newest("fiftyone==2.13.1", small_image({}), private=True)
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(asked)


def test_an_address_is_hidden_however_it_is_written() -> None:
    address = "https://user:p%40ss@pypi.example.com/token123/simple/?key=more"
    said = "https://pypi.example.com/token123/simple/x/ and https://user:p%40ss@pypi.example.com/x, p@ss, more"
    shown = hidden(said, address)
    for secret in ("token123", "p%40ss", "p@ss", "user", "more"):
        assert secret not in shown
    assert hidden("https://pypi.org/simple/torch/", address) == "https://pypi.org/simple/torch/"
