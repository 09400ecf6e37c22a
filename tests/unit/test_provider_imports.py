"""The process of the dynamic providers loads neither pulumi_databricks nor databricks-sdk before a call needs it.

The engine starts that process for every command, and each of the two takes a second to load. Recovery follows
each run that failed, and asks the workspace through databricks-sdk alone.
"""

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
MODULES = sorted(
    f"{file.parent.name}.{file.stem}"
    for folder in ("databricks_provider", "fiftyone_provider")
    for file in (REPO / folder).glob("[!_]*.py")
)
SLOW = ("pulumi_databricks", "databricks.sdk")


def loaded_with(*modules: str) -> set[str]:
    """Which of the slow packages a fresh interpreter has loaded after these modules."""
    names = ", ".join(modules)
    code = f"import sys, {names}; print(*(name for name in {SLOW!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_providers_load_without_the_databricks_packages() -> None:
    assert "databricks_provider.secret" in MODULES
    assert loaded_with(*MODULES) == set()


def test_what_loads_them_is_seen() -> None:
    assert loaded_with("components.access", "databricks.sdk.errors") == set(SLOW)


def test_recovery_loads_without_the_package_that_only_the_program_needs() -> None:
    assert "pulumi_databricks" not in loaded_with("recovery.__main__")
