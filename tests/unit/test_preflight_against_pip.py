"""What preflight says of the guide's requirements, as the program writes them, is what pip would do on the image, dry.

Needs the public package index, and fails without it: nothing else can tell whether the resolver still follows pip. Both
are held to what the index had on one day, so that the answer is the same on every other. FiftyOne is the open-source
package of that day, because Enterprise's is on no public index.

pip is the real one, on this machine's Python, in a process with nothing on its path but pip and the image's metadata
that is told the image's Python and platform. `--python-version` alone does not reach pip's environment markers (pip
#11664), so those are set as well. docs/preflight.md has what a Python 3.12 says, which is the same.
"""

import json
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from components.requirements_file import requirements_text
from preflight.judgement import violations
from preflight.resolver import Resolver, write_metadata
from preflight.runtime import image
from preflight.runtime_metadata import LINUX
from tests.unit.preflight_cases import of_the_public_index

DAY = "2026-11-25T00:00:00Z"
PIP = "26.3"
FIFTYONE = "1.22.1"
# Their newest releases come as sources alone, which pip does not take for another Python than its own.
WITHOUT_WHEEL = {"fiftyone-db", "glob2"}
TOLD = """
import sys
from pip._vendor.packaging import markers
python = {python!r}
real = markers.default_environment
told = {{"python_full_version": python, "python_version": python.rpartition(".")[0], "implementation_version": python}}
markers.default_environment = lambda: {{**real(), **told}}
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def pips_answer(requirements: str, python: str, image_folder: Path, scratch: Path) -> dict[str, str]:
    """What pip would install on the image, by name with the version."""
    pip = scratch / "pip"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", pip, f"pip=={PIP}"]
    subprocess.run(command, check=True, timeout=60, env=of_the_public_index())
    (scratch / "requirements.txt").write_text(requirements)
    done = subprocess.run(
        [
            *(sys.executable, "-S", "-c", TOLD.format(python=python), "install", "--quiet", "--dry-run"),
            *("--report", scratch / "report.json", "--uploaded-prior-to", DAY, "-r", scratch / "requirements.txt"),
            *("--python-version", python, "--only-binary", ":all:"),
            *(part for platform in LINUX for part in ("--platform", platform)),
        ],
        env={**of_the_public_index(), "PYTHONPATH": f"{pip}:{image_folder}", "PYTHONNOUSERSITE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entries = json.loads((scratch / "report.json").read_text())["install"]
    return {canonicalize_name(e["metadata"]["name"]): e["metadata"]["version"] for e in entries}


def test_preflight_replaces_and_breaks_what_pip_would_for_the_guides_requirements(tmp_path: Path) -> None:
    found = image("16.4", "cpu_ml")
    assert found is not None
    requirements = requirements_text(version=FIFTYONE, extra=[])
    write_metadata(found, tmp_path / "image")
    of_pip = pips_answer(requirements, found.python, tmp_path / "image", tmp_path)
    ours = Resolver(environ={**of_the_public_index(), "UV_EXCLUDE_NEWER": DAY}).changes(requirements, found)
    assert {package: v for package, v in ours.items() if package not in WITHOUT_WHEEL} == {
        package: v for package, v in of_pip.items() if package not in WITHOUT_WHEEL
    }
    assert list(violations(found, ours)) == list(violations(found, of_pip))
    assert {v.needs for v in violations(found, ours)} == {"numpy", "pillow", "starlette"}
