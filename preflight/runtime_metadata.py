"""Writes `runtimes/<runtime>.json`: `python -m preflight.runtime_metadata RUNTIME PYTHON PLATFORM`, once a runtime.

For example `16.4 3.12.3 x86_64-manylinux_2_39`: the system's Python and C library are in the runtime's release notes
("System environment"), the platform as uv names it. The packages and versions come from `runtimes/<runtime>.csv`, and
their declared requirements from the package index, by way of pip: a dry run reports the metadata of wheels and installs
nothing. One without a wheel for the runtime's Python (the image has a build of its own) is looked for among the wheels
of earlier ones, which declare the same; one without any wheel stays without. It takes some minutes, and downloads some
gigabytes: not every index offers metadata apart from its wheels.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from preflight.runtime import FOLDER, VARIANTS, image

EARLIER: Final = ("3.11", "3.10", "3.9")
# Every tag that a system with glibc 2.39 takes: pip derives none from another.
LINUX: Final = tuple(
    f"manylinux{libc}_x86_64" for libc in (*(f"_2_{minor}" for minor in range(39, 4, -1)), "2014", "2010", "1")
)
EXTRA: Final = re.compile(r";.*\bextra\s*==")
# pip begins anew without a package that it cannot find; smaller batches lose less by it.
BATCH: Final = 25


def declared_requirements(pins: Sequence[str], python: str) -> dict[str, list[str]]:
    """What the packages declare, by pin, where there are wheels for that Python.

    Raises:
        RuntimeError: pip failed for another reason, which it says.
    """
    found: dict[str, list[str]] = {}
    for start in range(0, len(pins), BATCH):
        batch = list(pins[start : start + BATCH])
        while batch:
            answer = _report(batch, python)
            if isinstance(answer, str):
                batch.remove(answer)
                continue
            found.update(answer)
            break
        print(f"{python}: {len(found)} of {len(pins)}", file=sys.stderr, flush=True)
    return found


def _report(pins: Sequence[str], python: str) -> dict[str, list[str]] | str:
    """The requirements by pin, or the first pin without a wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"),
                *("--report", report, "--target", scratch, "--only-binary", ":all:", "--python-version", python),
                *(part for platform in LINUX for part in ("--platform", platform)),
                *pins,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            missing = re.search(r"No matching distribution found for (\S+)", done.stderr)
            if missing is None or missing[1] not in pins:
                raise RuntimeError(done.stderr.strip())
            return missing[1]
        entries: list[dict[str, Any]] = json.loads(report.read_text())["install"]
    return {
        f"{canonicalize_name(entry['metadata']['name'])}=={entry['metadata']['version']}": [
            requirement
            for requirement in entry["metadata"].get("requires_dist", [])
            if not EXTRA.search(requirement)  # which the image was not made with, as far as anybody says
        ]
        for entry in entries
    }


def main(runtime: str, python: str, platform: str) -> None:
    """Write the file; what is without a wheel is named on standard error."""
    file = FOLDER / f"{runtime}.json"
    file.write_text(json.dumps({"python": python, "platform": platform, "declared": {}}))
    # A variant at a time: pip takes one version of a package.
    variants = [found for variant in VARIANTS if (found := image(runtime, variant))]
    wanted = [[f"{name}=={version}" for name, version in found.installed.items()] for found in variants]
    declared: dict[str, list[str]] = {}
    for version in (".".join(python.split(".")[:2]), *EARLIER):
        for pins in wanted:
            declared |= declared_requirements([pin for pin in pins if pin not in declared], version)
    lines = (f"    {json.dumps(pin)}: {json.dumps(needs)}" for pin, needs in sorted(declared.items()))
    head = f'  "python": {json.dumps(python)},\n  "platform": {json.dumps(platform)},\n'
    file.write_text("{\n" + head + '  "declared": {\n' + ",\n".join(lines) + "\n  }\n}\n")
    without = sorted({pin for pins in wanted for pin in pins} - declared.keys())
    print("without a wheel:", *without, file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
