"""The facts of Databricks' runtimes: which Python packages an image has, and what these declare that they require.

Data, and its reading. `runtimes/<runtime>.csv` holds the versions by variant, from the runtime's release notes ("System
environment", "Python libraries"); `runtimes/<runtime>.json` its Python and platform, from there as well, and the
packages' declared requirements (runtime_metadata.py). Another runtime is another pair of files.
"""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FOLDER: Final = Path(__file__).parent / "runtimes"
VARIANTS: Final = {"standard": "standard", "cpu_ml": "ML on CPU", "gpu_ml": "ML on GPU"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a variant of a runtime has installed before any library is; names are normalised.

    `declared` are the packages' own requirements, as their metadata has them, by name; a package whose metadata could
    not be had is not in it.
    """

    title: str
    python: str
    platform: str
    installed: Mapping[str, str]
    declared: Mapping[str, tuple[str, ...]]

    @cached_property
    def requires(self) -> dict[str, list[Requirement]]:
        """The requirements that apply on the image and that it meets.

        One that it does not meet is not broken by us. (Its PyTorch for CPUs, for one, is a build that needs none of
        the CUDA packages that the build of that version on the public index declares.)
        """
        marks = _markers(self.python)
        return {
            name: [
                requirement
                for requirement in map(Requirement, declared)
                if (requirement.marker is None or requirement.marker.evaluate(marks)) and self._meets(requirement)
            ]
            for name, declared in self.declared.items()
        }

    def _meets(self, requirement: Requirement) -> bool:
        found = self.installed.get(canonicalize_name(requirement.name))
        return found is not None and requirement.specifier.contains(Version(found), prereleases=True)


def runtime_of(spark_version: str) -> str:
    """The runtime's name among the files, of a Spark version as in settings: `16.4` of `16.4.x-scala2.13`."""
    return re.sub(r"\.x|-scala[\d.]+", "", spark_version)


def image(runtime: str, variant: str, folder: Path = FOLDER) -> Image | None:
    """A variant's image; None where there are no files of the runtime."""
    versions, facts = folder / f"{runtime}.csv", folder / f"{runtime}.json"
    if not versions.is_file() or not facts.is_file():
        return None
    with versions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    known: dict[str, Any] = json.loads(facts.read_text())
    installed: dict[str, str] = {canonicalize_name(row["package"]): row[variant] for row in rows if row[variant]}
    declared: dict[str, list[str]] = known["declared"]
    return Image(
        title=f"runtime {runtime} {VARIANTS[variant]}",
        python=known["python"],
        platform=known["platform"],
        installed=installed,
        declared={
            name: tuple(declared[pin])
            for name, version in installed.items()
            if (pin := f"{name}=={version}") in declared
        },
    )


def _markers(python: str) -> dict[str, str]:
    """A runtime's answers to the environment markers of requirements."""
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "platform_python_implementation": "CPython",
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }
