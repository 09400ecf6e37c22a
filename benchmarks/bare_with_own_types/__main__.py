"""The bare program with the program's own types for what both have: the folder and the secrets.

They stand for the databricks provider's, which lose a changed secret and take over anybody's folder; what is left
between this and the program is how the program is written.
"""

import runpy
from pathlib import Path

import pulumi
import pulumi_databricks as databricks

from databricks_provider.folder import Folder
from databricks_provider.secret import Secret


def secret(
    name: str, *, scope: pulumi.Input[str], key: pulumi.Input[str], string_value: pulumi.Input[str]
) -> pulumi.Resource:
    """As `databricks.Secret` takes its arguments."""
    return Secret(name, scope=scope, key=key, value=string_value)


databricks.Secret = secret  # pyright: ignore[reportAttributeAccessIssue]
databricks.Directory = Folder  # pyright: ignore[reportAttributeAccessIssue]
runpy.run_path(str(Path(__file__).parents[1] / "bare" / "__main__.py"))
