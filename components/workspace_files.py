"""The files that a stack's jobs run from: a workspace folder of the stack's own, and text files in it.

Owns the folder and the files, not what they say. They lie in the workspace rather than in DBFS, where the guide's job
looks for them: new workspaces have no DBFS root.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_databricks as databricks

from databricks_provider.folder import Folder

WORKSPACE = "/Workspace"
# What the first version's stacks have in the folder's place.
BEFORE = pulumi.Alias(name="directory", type_="databricks:index/directory:Directory")


@dataclass(frozen=True, kw_only=True)
class WorkspaceFilesArgs:
    """`directory` begins with `/Workspace`, as jobs write it; `files` maps names to texts."""

    directory: str
    files: Mapping[str, str]


class WorkspaceFiles(pulumi.ComponentResource):
    """Outputs: `directory`, and the same as the workspace API writes it, `folder`.

    Paths are known from names, so whoever uses a file depends on it, by `named`.
    """

    directory: pulumi.Output[str]
    folder: pulumi.Output[str]

    def __init__(self, name: str, args: WorkspaceFilesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:WorkspaceFiles", name, None, opts)
        # The workspace API writes paths without the prefix and would read the same path back so.
        path = args.directory.removeprefix(WORKSPACE)
        own = pulumi.ResourceOptions(parent=self, aliases=[BEFORE])
        self.folder = Folder("folder", path=path, opts=own).path
        self._files = {
            file: databricks.WorkspaceFile(
                file,
                path=self.folder.apply(lambda path, file=file: f"{path}/{file}"),
                content_base64=encoded(text),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for file, text in sorted(args.files.items())
        }
        self.directory = pulumi.Output.from_input(args.directory)
        self.register_outputs({"directory": self.directory})

    def named(self, names: Iterable[str]) -> list[pulumi.Resource]:
        """The files of these names; all of them would be one more for each orchestrator of the stack."""
        return [self._files[name] for name in names]


def encoded(text: str) -> str:
    """The text as the provider takes it, the same on every machine: Unix line ends, and one at the end."""
    lines = text.replace("\r\n", "\n").rstrip("\n")
    return base64.b64encode(f"{lines}\n".encode()).decode()
