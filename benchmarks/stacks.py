"""The stacks that are measured: the program, its part in Databricks, bare ones, and one that does nothing.

Owns what they are given. Each lives on a workspace of its own, behind a proxy that holds requests, so that none finds
what another left.
"""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from benchmarks.delay_proxy import DelayProxy
from tests.engine.stack import Stack, base
from tests.engine.workspace import REPO, Workspace


class Program(Enum):
    """What is deployed, by the folder of its `__main__.py`."""

    EMPTY = REPO / "toolchain" / "smoke"
    WHOLE = REPO
    WITHOUT_FIFTYONE = REPO / "benchmarks" / "without_fiftyone"
    BARE = REPO / "benchmarks" / "bare"
    BARE_WITH_OWN_TYPES = REPO / "benchmarks" / "bare_with_own_types"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A stack to measure, on its own workspace behind its own proxy."""

    stack: Stack
    workspace: Workspace
    proxy: DelayProxy


@contextmanager
def subject(program: Program, *, delay: float = 0.0, **settings: Any) -> Generator[Subject]:
    """A stack of a program with nothing deployed; keyword arguments are settings beside those of `stack.base`."""
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.start(Path(scratch) / "workspace")
        try:
            with DelayProxy(target=workspace.address, seconds=delay).running() as proxy:
                folder = Path(scratch) / "project"
                folder.mkdir()
                stack = Stack.create(folder, workspace, **settings)
                definition = yaml.safe_load((folder / "Pulumi.yaml").read_text())
                (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**definition, "main": str(program.value)}))
                stack.environ |= {
                    "PYTHONPATH": str(REPO),
                    "DATABRICKS_HOST": proxy.address,
                    "FIFTYONE_API_URI": f"{proxy.address}/fiftyone",
                    "TRIGGER": base()["servicePrincipal"]["clientId"],
                }
                yield Subject(stack=stack, workspace=workspace, proxy=proxy)
        finally:
            workspace.stop()
