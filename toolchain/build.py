"""Builds a Pulumi engine and the databricks plugin with the ordinary Go client, where downloads are out of reach.

Owns what is built from which module and when it has to be built again; Go's caches stay Go's own. The launch scripts,
which are no Go programs, are taken from the module that carries them.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.paths import REPO, SetupError, fingerprint, is_current
from toolchain.progress import counting

VERSION = "3.200.0"
PLUGIN_VERSION = "1.91.0"
GO = (1, 25)
LAUNCH_SCRIPTS = (
    "python/cmd/pulumi-language-python-exec",
    "python/dist/pulumi-resource-pulumi-python",
    "python/dist/pulumi-analyzer-policy-python",
)


@dataclass(frozen=True, kw_only=True)
class Build:
    """One program: the folder of its go.mod under toolchain/, the package in it, and what the linker is told."""

    what: str
    folder: str
    package: str
    program: str
    linker: str = ""
    minutes: str


CLI = Build(
    what=f"the Pulumi CLI {VERSION}",
    folder="cli",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    program="pulumi",
    # Without its version the CLI prints none, and Pulumi's Automation API refuses it.
    linker=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}",
    minutes="2 to 4",
)
LANGUAGE_HOST = Build(
    what="Pulumi's Python language host",
    folder="language-python",
    package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
    program="pulumi-language-python",
    minutes="about 1",
)
PLUGIN = Build(
    what=f"the databricks plugin {PLUGIN_VERSION}",
    folder="databricks",
    package=".",
    program="pulumi-resource-databricks",
    linker=f"-X main.version={PLUGIN_VERSION}",
    minutes="2 to 4",
)


def build_engine(folder: Path, report: Callable[[str], None]) -> None:
    """Put CLI, language host and launch scripts into `folder`; quick where nothing they are built from has changed.

    Raises:
        SetupError: Go is missing or too old, or a build failed.
    """
    for build in (CLI, LANGUAGE_HOST):
        build_program(build, folder, report)
    if not all((folder / Path(script).name).is_file() for script in LAUNCH_SCRIPTS):
        module = Path(_go(CLI, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3").strip())
        for script in LAUNCH_SCRIPTS:
            target = folder / Path(script).name
            shutil.copyfile(module / script, target)
            target.chmod(0o755)


def build_program(build: Build, folder: Path, report: Callable[[str], None]) -> bool:
    """Build one program into `folder`, unless the one there was built from the same; tell whether it was built.

    Raises:
        SetupError: Go is missing or too old, or the build failed.
    """
    source = REPO / "toolchain" / build.folder
    inputs = fingerprint(sorted(source.iterdir()), build.package, build.linker)
    program, stamp = folder / build.program, folder / f".{build.program}.built-from"
    if program.is_file() and is_current(stamp, inputs):
        return False
    _check_go(build)
    report(f"building {build.what} from Go modules ({build.minutes} minutes the first time) …")
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    with counting("  …"):
        _go(build, "build", "-trimpath", "-ldflags", f"-s -w {build.linker}", "-o", str(program), build.package)
    stamp.write_text(inputs)
    report(f"built {build.what} in {time.monotonic() - began:.0f} s")
    return True


def _check_go(build: Build) -> None:
    advice = (
        f"Building {build.what} needs Go {GO[0]}.{GO[1]} or later. Install it (https://go.dev/doc/install), or install "
        "Pulumi (https://www.pulumi.com/docs/install/), and run the same command again."
    )
    try:
        version = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise SetupError(f"Go was not found. {advice}") from None
    number = re.search(r"go(\d+)\.(\d+)", version)
    if number is None or (int(number[1]), int(number[2])) < GO:
        raise SetupError(f"The Go on PATH is {version.strip()}. {advice}")


def _go(build: Build, verb: str, *arguments: str) -> str:
    """Run Go in the build's module, which decides alone: no workspace file, no change to go.mod or go.sum."""
    command = ["go", verb, *(["-mod=readonly"] if verb == "build" else []), *arguments]
    done = subprocess.run(
        ["env", "GOWORK=off", *command],
        cwd=REPO / "toolchain" / build.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise SetupError(
            f"Building {build.what} failed at `go {verb}`:\n{tail}\n"
            "If a module could not be fetched, check that Go reaches its module proxy (`go env GOPROXY`), then run the "
            "same command again: what was built is kept."
        )
    return done.stdout
