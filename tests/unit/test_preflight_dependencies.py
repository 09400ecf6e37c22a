"""Each cluster is judged on the image it runs, with the deployment's FiftyOne or with what says that it is another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight import dependencies
from preflight.dependencies import check_dependencies, clusters
from preflight.fiftyone_index import check_index
from preflight.judgement import violations
from preflight.mending import mends
from preflight.result import Outcome, Result
from preflight.runtime import Image
from tests.unit.package_index import Packages, served
from tests.unit.preflight_cases import SECRET, resolver, small_image
from tests.unit.settings_cases import configuration, settings

GUIDES = ("ultralytics", "torch", "transformers", "timm", "umap-learn", "opencv-python", "opencv-python-headless")
PUBLIC: Packages = {
    **{name: {"1.0": []} for name in GUIDES},
    "fiftyone": {"1.22.1": [], "1.0.0": []},
    "numbers": {"1.26": [], "2.2": []},
    "torch": {"1.0": [], "2.0": ["numbers>=2"]},
}
PRIVATE: Packages = {"fiftyone": {"2.13.1": ["numbers"], "2.14.0": []}}
IMAGE = small_image({"arrow": "15.0", "numbers": "1.26"}, {"arrow": ("numbers<2",)})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runtime 16.4 is a small image, of any variant; there is no other."""

    def image(runtime: str, variant: str) -> Image | None:
        return IMAGE if runtime == "16.4" else None

    monkeypatch.setattr(dependencies, "image", image)


def of(orchestrator: dict[str, Any]) -> Any:
    return settings(configuration(orchestrators={"gpu": {"nodeType": "g2-standard-8", **orchestrator}}))


def outcomes(results: Iterator[Result] | list[Result], part: str) -> list[Outcome]:
    return [result.outcome for result in results if part in result.found]


def checked(
    tmp_path: Path, *, private: Packages | None, public: Packages = PUBLIC, **orchestrator: Any
) -> list[Result]:
    with served(public) as one, served(private or {}, status=200 if private is not None else 503) as other:
        asked = resolver(tmp_path, one, other.url(f"user:{SECRET}@"))
        return list(check_dependencies(of({"mlRuntime": False, **orchestrator}), asked, {}))


def test_a_broken_requirement_of_the_image_is_wrong_and_its_mend_was_tried(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE)
    (broken,) = [result for result in results if result.outcome is Outcome.WRONG]
    assert "arrow 15.0 of the image requires numbers<2, and numbers 2.2 would replace 1.26" in broken.found
    assert broken.mend.startswith("add `numbers<2` to `orchestrators.gpu.requirements`")
    assert outcomes(results, "numbers 1.26 of the image is replaced by 2.2") == [Outcome.RIGHT]


def test_with_the_mend_nothing_is_wrong(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE, requirements=["numbers<2"])
    assert not [result for result in results if result.outcome is Outcome.WRONG]
    assert outcomes(results, "resolved on runtime 1.0 standard") == [Outcome.RIGHT]


def test_a_mend_that_does_not_exist_is_not_claimed(tmp_path: Path) -> None:
    with served({**PUBLIC, "torch": {"2.0": ["numbers>=2"]}}) as public:
        asked = resolver(tmp_path, public)
        broken = list(violations(IMAGE, asked.changes("torch\n", IMAGE)))
        mend = mends("torch\n", IMAGE, asked, broken, "KEY")["numbers"]
    assert mend.startswith("it cannot be kept: Because")
    assert "torch" in mend


def test_requirements_that_cannot_be_met_are_wrong_and_say_the_error_they_surface_as(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE, requirements=["torch==1.0", "numbers>9"])
    (broken,) = [result for result in results if result.outcome is Outcome.WRONG]
    assert "cannot be resolved" in broken.found
    assert "numbers" in broken.found
    assert "`Library installation error`" in broken.found


def test_what_a_stand_in_of_fiftyone_shows_is_likely_and_not_wrong(tmp_path: Path) -> None:
    results = checked(tmp_path, private=None)
    assert outcomes(results, "could not be reached from here") == [Outcome.NOT_CHECKED]
    assert outcomes(results, "arrow 15.0 of the image requires") == [Outcome.LIKELY]
    assert outcomes(results, "open-source fiftyone 1.22.1 in the deployment's place") == [Outcome.RIGHT]


def test_without_any_index_dependencies_are_not_checked(tmp_path: Path) -> None:
    with served(PUBLIC, status=503) as public, served(PRIVATE, status=503) as private:
        asked = resolver(tmp_path, public, private.url())
        results = list(check_dependencies(of({"mlRuntime": False}), asked, {}))
    assert {result.outcome for result in results} == {Outcome.NOT_CHECKED}
    assert outcomes(results, "the public package index could not be reached") == [Outcome.NOT_CHECKED]


def test_a_runtime_without_facts_is_not_checked_and_names_the_file(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE, sparkVersion="17.3.x-scala2.13")
    assert [result.outcome for result in results] == [Outcome.NOT_CHECKED]
    assert "preflight/runtimes/17.3.csv" in results[0].found


def test_a_container_image_is_not_checked(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE, containerImage="registry.example.com/worker:1")
    assert outcomes(results, "registry.example.com/worker:1") == [Outcome.NOT_CHECKED]


@pytest.mark.parametrize(
    ("private", "public", "said"),
    [
        ({"fiftyone": {"2.14.0": []}}, {}, "its newest is the fiftyone 2.14.0"),
        ({"fiftyone": {"1.22.1": []}}, {}, "its newest is the open-source fiftyone 1.22.1"),
        ({}, {}, "has no fiftyone at all"),
        ({}, {"fiftyone": {"2.13.1": []}}, "runs would install the open-source package of that version"),
    ],
    ids=["another version", "open source alone", "none", "open source of that version"],
)
def test_a_private_index_without_the_deployments_version_is_wrong(
    tmp_path: Path, private: Packages, public: Packages, said: str
) -> None:
    with served({**PUBLIC, **public}) as one, served(private) as other:
        _, result = check_index("2.13.1", resolver(tmp_path, one, other.url()), IMAGE)
    assert result.outcome is Outcome.WRONG
    assert said in result.found


def test_a_private_index_with_the_version_is_right_and_resolves_with_it(tmp_path: Path) -> None:
    with served(PUBLIC) as one, served(PRIVATE) as other:
        pin, result = check_index("2.13.1", resolver(tmp_path, one, other.url()), IMAGE)
    assert result.outcome is Outcome.RIGHT
    assert pin is not None
    assert (pin.version, pin.note) == ("2.13.1", "")


def test_a_private_index_that_refuses_is_wrong_and_shows_no_token(tmp_path: Path) -> None:
    with served(PUBLIC) as one, served(PRIVATE, password="user:right") as other:
        _, result = check_index("2.13.1", resolver(tmp_path, one, other.url(f"user:{SECRET}@")), IMAGE)
    assert result.outcome is Outcome.WRONG
    assert "does not accept the credentials" in result.found
    assert SECRET not in f"{result}"


def test_an_ml_cluster_is_judged_on_the_variant_of_its_node_type_and_on_both_where_that_is_unknown() -> None:
    found = of({"registrationNodeType": "c3-standard-4-lssd"})
    assert [c.variant for c in clusters(found, {"g2-standard-8": 1})] == ["gpu_ml", "standard"]
    assert [c.variant for c in clusters(found, {"g2-standard-8": 0})] == ["cpu_ml", "standard"]
    assert [c.variant for c in clusters(found, {})] == ["cpu_ml", "gpu_ml", "standard"]


def test_clusters_with_one_image_and_the_same_requirements_are_judged_once(tmp_path: Path) -> None:
    results = checked(tmp_path, private=PRIVATE, registrationNodeType="c3-standard-4-lssd")
    resolved = [result for result in results if "resolved on" in result.found]
    assert [result.name for result in resolved] == ["gpu execution, gpu registration (standard)"]
