"""A Pulumi engine that runs this program: the one on PATH, else Pulumi's installer, else a build from Go modules.

Owns the choice, and the engine and plugin of our own under .local/. An engine counts only once a smoke run (smoke/)
has shown that it, its Python host and its policy analyzer work.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.build import PLUGIN, PLUGIN_VERSION, VERSION, build_engine, build_program
from toolchain.paths import ENGINE, LOCAL, PULUMI_HOME, REPO, VENV, SetupError, is_current

INSTALLER = "https://get.pulumi.com/install.sh"
SECONDS_TO_CONNECT = 10
SECONDS_TO_DOWNLOAD = 600
OURS = ENGINE / "bin"
# What was chosen: the identity of the engine on PATH that passed its smoke run, or one of ours.
CHOICE = LOCAL / "engine-choice"
REJECTED = LOCAL / "engine-rejected"

Report = Callable[[str], None]


def ensure_engine(report: Report) -> None:
    """Make sure of an engine with the databricks plugin; quick once there is one.

    Raises:
        SetupError: no engine was found and none could be built.
    """
    LOCAL.mkdir(exist_ok=True)
    found = _on_path()
    if found is not None and _works(found, report):
        CHOICE.write_text(_identity(found))
    else:
        _ensure_ours(report)
    _ensure_plugin(report)


def engine_environment() -> dict[str, str]:
    """The variables that make `pulumi` the chosen engine; a PULUMI_HOME only for one of ours, which hides no login."""
    folders = [str(VENV / "bin")] + ([str(OURS)] if _is_ours() else [])
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in folders]
    variables = {
        "PATH": os.pathsep.join([*folders, *rest]),
        "VIRTUAL_ENV": str(VENV),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    return {**variables, "PULUMI_HOME": str(PULUMI_HOME)} if _is_ours() else variables


def _on_path() -> Path | None:
    """The engine on PATH that is not one of ours, which `make env` puts there."""
    folders = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(part) != OURS]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    return Path(found).resolve() if found else None


def _works(engine: Path, report: Report) -> bool:
    """Whether the engine on PATH passes the smoke run; asked once for each engine."""
    identity = _identity(engine)
    if is_current(CHOICE, identity) or is_current(REJECTED, identity):
        return is_current(CHOICE, identity)
    report(f"trying the Pulumi engine on PATH, {engine} …")
    failure = _smoke_failure(dict(os.environ), engine.parent)
    if failure:
        REJECTED.write_text(identity)
        report(f"it does not run a Python program with a policy pack, so another is taken: {failure}")
    return not failure


def _ensure_ours(report: Report) -> None:
    installed = f"installer {VERSION}"
    if is_current(CHOICE, installed):
        return
    if not is_current(CHOICE, "build"):
        report(f"fetching Pulumi {VERSION} with its installer …")
        problem = _install()
        if problem is None and not (problem := _smoke_failure(_ours(), OURS)):
            CHOICE.write_text(installed)
            return
        report(f"the installer is no way here ({problem}); building the engine instead")
        shutil.rmtree(ENGINE, ignore_errors=True)
    build_engine(OURS, report)
    if not is_current(CHOICE, "build"):
        failure = _smoke_failure(_ours(), OURS)
        if failure:
            raise SetupError(
                f"The engine that was built does not run a Python program with a policy pack: {failure}\n"
                f"Remove {ENGINE} and run the same command again, or install Pulumi "
                "(https://www.pulumi.com/docs/install/)."
            )
        CHOICE.write_text("build")


def _install() -> str | None:
    """Run Pulumi's own installer into our folder; what went wrong, or None."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "install.sh"
        try:
            with urllib.request.urlopen(INSTALLER, timeout=SECONDS_TO_CONNECT) as answer:
                script.write_bytes(answer.read())
            done = subprocess.run(
                ["sh", str(script), "--version", VERSION, "--install-root", str(ENGINE), "--no-edit-path"],
                capture_output=True,
                text=True,
                timeout=SECONDS_TO_DOWNLOAD,
                check=False,
            )
        except (OSError, urllib.error.URLError, subprocess.TimeoutExpired) as error:
            return str(getattr(error, "reason", error))
    return None if done.returncode == 0 else _last_line(done.stderr or done.stdout)


def _smoke_failure(environ: dict[str, str], folder: Path) -> str:
    """Preview the smallest program with the smallest policy pack; what went wrong, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "smoke"
        shutil.copytree(REPO / "toolchain" / "smoke", project)
        (project / "state").mkdir()
        environ = {
            **environ,
            "PATH": os.pathsep.join([str(VENV / "bin"), str(folder), environ["PATH"]]),
            "PULUMI_BACKEND_URL": (project / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "smoke",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        for arguments in (["stack", "init", "smoke"], ["preview", "--policy-pack", "pack", "--stack", "smoke"]):
            done = subprocess.run(
                [str(folder / "pulumi"), *arguments, "--non-interactive", "--color", "never"],
                cwd=project,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                return _last_line(done.stderr or done.stdout)
    return "" if "smoke@" in done.stdout else "it did not run the policy pack"


def _ensure_plugin(report: Report) -> None:
    """Put the plugin under the engine's PULUMI_HOME; found on PATH instead, it would warn at each run."""
    environ = {**os.environ, **engine_environment()}
    installed = any(
        (home / "plugins" / f"resource-databricks-v{PLUGIN_VERSION}" / PLUGIN.program).is_file()
        for home in pulumi_homes(environ)
    )
    built = ENGINE / "plugin"
    if not is_current(CHOICE, "build") and not built.exists():
        if installed:
            return
        report(f"fetching {PLUGIN.what} …")
        done = _plugin_install(environ)
        if done.returncode == 0:
            return
        report(f"it cannot be fetched here ({_last_line(done.stderr)}); building it instead")
    if build_program(PLUGIN, built, report) or not installed:
        done = _plugin_install(environ, "--file", str(built / PLUGIN.program), "--reinstall")
        if done.returncode:
            raise SetupError(f"Installing {PLUGIN.what} failed: {done.stderr.strip()}")


def pulumi_homes(environ: Mapping[str, str]) -> list[Path]:
    """Where the engine may keep plugins and logins; without PULUMI_HOME, builds differ on what a home is."""
    if environ.get("PULUMI_HOME"):
        return [Path(environ["PULUMI_HOME"])]
    return [Path.home() / ".pulumi", Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pulumi"]


def _plugin_install(environ: dict[str, str], *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", "plugin", "install", "resource", "databricks", PLUGIN_VERSION, *flags],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def _ours() -> dict[str, str]:
    return {**os.environ, "PULUMI_HOME": str(PULUMI_HOME)}


def _is_ours() -> bool:
    return CHOICE.is_file() and CHOICE.read_text().split()[0] in ("installer", "build")


def _identity(engine: Path) -> str:
    stat = engine.stat()
    return f"{engine} {stat.st_size} {stat.st_mtime_ns}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
