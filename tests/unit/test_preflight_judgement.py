"""A replaced package is a fault only where one that stays declares otherwise; the facts of runtimes fit together."""

from packaging.utils import canonicalize_name
from packaging.version import Version

from preflight import judgement
from preflight.judgement import replaced, violations
from preflight.result import Outcome
from preflight.runtime import FOLDER, VARIANTS, image, runtime_of
from tests.unit.preflight_cases import small_image

IMAGE = small_image({"arrow": "15.0", "numbers": "1.26"}, {"arrow": ("numbers<2,>=1.16",)})


def test_a_replaced_package_that_still_satisfies_is_told_and_is_no_violation() -> None:
    assert replaced(IMAGE, {"numbers": "1.27", "new": "1.0"}) == {"numbers": ("1.26", "1.27")}
    assert list(violations(IMAGE, {"numbers": "1.27", "new": "1.0"})) == []


def test_a_package_that_stays_and_requires_the_replaced_one_otherwise_is_named_with_both_versions() -> None:
    (violation,) = violations(IMAGE, {"numbers": "2.2"})
    text = judgement.shown(violation)
    for part in ("arrow 15.0", "numbers<2,>=1.16", "2.2", "1.26", "Could not reach driver of cluster"):
        assert part in text
    assert 'requires that "numbers<2,>=1.16" is installed on your machine, but found "numbers==2.2"' in text


def test_a_package_that_is_replaced_as_well_is_not_held_to_what_it_required() -> None:
    assert list(violations(IMAGE, {"numbers": "2.2", "arrow": "20.0"})) == []


def test_a_requirement_that_the_image_itself_does_not_meet_is_not_ours() -> None:
    broken = small_image({"arrow": "15.0", "numbers": "3.0"}, {"arrow": ("numbers<2",)})
    assert list(violations(broken, {"numbers": "4.0"})) == []


def test_a_requirement_for_another_platform_or_python_is_not_held() -> None:
    elsewhere = ("numbers<2; sys_platform == 'win32'", "numbers<2; python_version < '3.12'")
    for declared in elsewhere:
        image_ = small_image({"arrow": "15.0", "numbers": "1.26"}, {"arrow": (declared,)})
        assert list(violations(image_, {"numbers": "2.2"})) == []
    here = small_image({"arrow": "15.0", "numbers": "1.26"}, {"arrow": ("numbers<2; python_version >= '3.12'",)})
    assert len(list(violations(here, {"numbers": "2.2"}))) == 1


def test_opencv_that_aborts_is_wrong_whichever_build_and_whoever_brings_it() -> None:
    for package in ("opencv-python", "opencv-python-headless", "opencv-contrib-python"):
        result = judgement.opencv("x", IMAGE, {package: "4.13.0.90"})
        assert result.outcome is Outcome.WRONG
        assert "OpenSSL self-test failure" in result.found
    assert judgement.opencv("x", IMAGE, {"opencv-python": "4.12.0.88"}).outcome is Outcome.RIGHT


def test_an_import_of_the_entrypoint_that_nothing_brings_is_wrong() -> None:
    guides = "import argparse\nimport nest_asyncio\n"
    assert judgement.imports("x", guides, IMAGE, {}).outcome is Outcome.WRONG
    assert "nest-asyncio" in judgement.imports("x", guides, IMAGE, {}).mend
    assert judgement.imports("x", guides, IMAGE, {"nest-asyncio": "1.6.0"}).outcome is Outcome.RIGHT


def test_an_entrypoint_without_imports_of_others_needs_nothing() -> None:
    result = judgement.imports("x", "import os\nfrom pathlib import Path\n", IMAGE, {})
    assert result.outcome is Outcome.RIGHT
    assert "not nest_asyncio" in result.found


def test_every_runtime_has_facts_of_all_its_variants_that_fit_together() -> None:
    runtimes = sorted(file.stem for file in FOLDER.glob("*.csv"))
    assert runtimes
    for runtime in runtimes:
        for variant in VARIANTS:
            found = image(runtime, variant)
            assert found is not None, f"{runtime}.json is missing"
            assert found.installed
            assert all(
                Version(version) and canonicalize_name(name) == name for name, version in found.installed.items()
            )
            # Without metadata nothing could be judged; a few packages have no wheel anywhere.
            assert len(found.installed) - len(found.declared) < len(found.installed) / 50
            met = sum(map(len, found.requires.values()))
            assert met > len(found.installed), "an image meets what its packages require"


def test_the_image_of_16_4_holds_what_its_arrow_requires_of_numpy() -> None:
    found = image("16.4", "standard")
    assert found is not None
    assert {v.package for v in violations(found, {"numpy": "2.2.6"})} == {"contourpy", "pyarrow"}


def test_the_runtime_is_named_by_the_spark_version() -> None:
    assert runtime_of("16.4.x-scala2.13") == "16.4"
    assert runtime_of("16.4.x-aarch64-scala2.12") == "16.4-aarch64"
    assert image("1.0", "standard") is None
