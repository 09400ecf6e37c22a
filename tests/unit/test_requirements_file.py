"""The requirements file pins FiftyOne, keeps opencv below the version that aborts, and names each package once."""

from packaging.requirements import Requirement

from components.requirements_file import requirements_text


def lines(*extra: str) -> list[str]:
    return requirements_text(version="2.13.1", extra=extra).splitlines()


def test_fiftyone_is_pinned_first_and_the_guides_packages_follow() -> None:
    guide = ["ultralytics", "torch", "transformers", "timm", "umap-learn"]
    caps = ["opencv-python<4.13.0.90", "opencv-python-headless<4.13.0.90"]
    assert lines() == ["fiftyone==2.13.1", *guide, *caps]


def test_an_extra_pin_replaces_a_default_and_no_package_comes_twice() -> None:
    found = lines("Torch==2.6.0", "shapely", "fiftyone==2.13.1", "umap_learn>=0.5")
    names = [Requirement(line).name.lower().replace("_", "-") for line in found]
    assert len(names) == len(set(names))
    assert "Torch==2.6.0" in found
    assert "torch" not in found
    assert found[-1] == "shapely"


def test_opencv_stays_capped_whatever_is_asked_for() -> None:
    capped = next(line for line in lines("opencv-python>=4.10") if line.startswith("opencv-python<"))
    specifier = Requirement(capped).specifier
    assert "4.11.0.86" in specifier
    assert "4.13.0.90" not in specifier
    assert "4.9" not in specifier


def test_nest_asyncio_is_not_installed_because_the_entrypoint_does_without() -> None:
    assert not any("nest" in line for line in lines())
