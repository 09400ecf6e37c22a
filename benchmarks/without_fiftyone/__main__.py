"""The program as it stands, with its last component, FiftyOne's part of an orchestrator, left out.

What is left is what a bare program can have as well, so that the two can be compared; no stack file can leave it out.
"""

import runpy
from pathlib import Path
from typing import Any

import components.fiftyone_orchestrator


class LeftOut:
    """In place of the component: deploys nothing."""

    secrets: dict[str, str]
    client_secret = None

    def __init__(self, *_: Any) -> None:
        self.secrets = {}


components.fiftyone_orchestrator.FiftyOneOrchestrator = LeftOut  # pyright: ignore[reportAttributeAccessIssue]
runpy.run_path(str(Path(__file__).parents[2] / "__main__.py"))
