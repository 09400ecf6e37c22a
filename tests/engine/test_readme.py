"""What README.md tells a new user to type works in a fresh clone, and prints what it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from emulator.identity import ACCOUNT_ID
from tests.engine.clone import Clone
from tests.engine.readme import LOCAL, REAL, blocks, commands, typed
from tests.engine.stack import SECRETS
from tests.engine.workspace import Workspace
from toolchain.engine import PULUMI_HOME, pulumi_homes

PICTURE = "make -s graph"
# What is another one each time: ids, times, ports.
CHANGING = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d{6}-\w+-pool-\w+", "POOL"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\d{15}", "ID"),
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("a-new-user"))
    yield clone
    clone.run(".venv/bin/python -m emulator stop --home .local/emulator")


@pytest.fixture(scope="module")
def printed(clone: Clone) -> dict[str, str]:
    """What the commands of the first section print, one after the other, and after the first the picture."""
    found: dict[str, str] = {}
    for command in commands(LOCAL):
        if line := typed(command):
            found[command] = clone.succeeds(line)
            if command == "make up":
                found[PICTURE] = clone.succeeds(PICTURE)
    return found


def test_every_command_on_local_succeeds(printed: dict[str, str]) -> None:
    assert next(iter(printed)) == "make up"
    assert list(printed)[-1] == "make destroy"
    assert "held nothing" in printed["make destroy"]


@pytest.mark.parametrize(
    ("block", "command"), [(0, "make up"), (1, 'make run COMMAND="fiftyone operators list"')], ids=["up", "run"]
)
def test_the_output_that_is_shown_is_what_is_printed(printed: dict[str, str], block: int, command: str) -> None:
    assert len(blocks(LOCAL, "")) == 2
    assert unchanging(blocks(LOCAL, "")[block]) in unchanging(printed[command])


def test_the_picture_is_what_make_graph_draws(printed: dict[str, str]) -> None:
    assert blocks("", "mermaid") == [printed[PICTURE]], "put what `make graph` prints into README.md"


def test_a_first_real_environment_is_deployed_and_verified(clone: Clone, tmp_path: Path) -> None:
    workspace = Workspace.start(tmp_path / "workspace")
    try:
        fill_in(clone.folder / "Pulumi.dev.yaml", workspace)
        script = "\n".join(["set -eu", *filter(None, map(typed, commands(REAL)))])
        done = clone.run(script, **answers(tmp_path, workspace))
    finally:
        workspace.stop()
    assert done.returncode == 0, done.stdout
    assert "hidden" not in done.stdout
    assert "create" in done.stdout
    # Of preflight and of verify.
    assert len(re.findall(r"^dev: \d+ ✓, 0 ✗", done.stdout, re.MULTILINE)) == 2
    # Which a person is told to commit.
    assert clone.run("git status --porcelain").stdout == " M Pulumi.dev.yaml\n"


def fill_in(file: Path, workspace: Workspace) -> None:
    """Step 3: the address of the deployment; and of the stand-in for FiftyOne, its management SDK."""
    content = yaml.safe_load(file.read_text())
    content["config"]["fiftyone:apiUri"] = f"{workspace.address}/fiftyone"
    content["config"]["fiftyone:managementModule"] = "emulator.fiftyone_management"
    file.write_text(yaml.safe_dump(content))


def answers(folder: Path, workspace: Workspace) -> dict[str, str]:
    """What a person knows, and a home of their own, in which logging in touches nobody else's."""
    home, engine, state = folder / "home", folder / "pulumi", folder / "state"
    for made in (home, engine, state):
        made.mkdir()
    plugins = next(found / "plugins" for found in [PULUMI_HOME, *pulumi_homes({})] if (found / "plugins").is_dir())
    (engine / "plugins").symlink_to(plugins)
    return {
        "HOME": str(home),
        "PULUMI_HOME": str(engine),
        "STATE": str(state),
        "DATABASE_URI": SECRETS["FIFTYONE_DATABASE_URI"],
        "ENCRYPTION_KEY": SECRETS["FIFTYONE_ENCRYPTION_KEY"],
        "PYPI_URL": SECRETS["FIFTYONE_PYPI_URL"],
        "API_KEY": workspace.credential("fiftyone-api-key"),
        "ADDRESS": workspace.address,
        "ACCOUNT_ID": ACCOUNT_ID,
        "TOKEN": workspace.token,
    }


def unchanging(text: str) -> str:
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return text
