"""The secret scope of a stack: the secrets that runs read, each under a key of its own.

Owns the scope and its secrets, or, for a scope that exists already, nothing but its name. The scope has no initial
principal: `users` would let everyone manage it. Source: guide, "Create Databricks secrets".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_databricks as databricks

from databricks_provider.secret import Secret


@dataclass(frozen=True, kw_only=True)
class SecretScopeArgs:
    """The scope's name, and the secrets by key; `existing` scopes take none."""

    name: str
    existing: bool
    secrets: Mapping[str, pulumi.Input[str]]
    protect: bool


class SecretScope(pulumi.ComponentResource):
    """Output: `scope_name`. Whoever reads the secrets depends on the component, because references are plain text."""

    scope_name: pulumi.Output[str]

    def __init__(self, name: str, args: SecretScopeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:SecretScope", name, None, opts)
        if args.existing:
            self.scope_name = pulumi.Output.from_input(args.name)
        else:
            scope = databricks.SecretScope(
                "scope", name=args.name, opts=pulumi.ResourceOptions(parent=self, protect=args.protect)
            )
            self.scope_name = scope.name
            for key, value in sorted(args.secrets.items()):
                Secret(
                    key,
                    scope=scope.name,
                    key=key,
                    value=value,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({"scopeName": self.scope_name})
