"""The commands and outputs that README.md shows, by section, and what the tests do about those that they cannot type.

Owns the reading of the page; test_readme.py here runs what it finds, and its namesake in tests/unit sees that nothing
is left over.
"""

import re

from tests.engine.workspace import REPO

LOCAL = "Try it: two commands"
REAL = "A real environment"
# What is not run, and why.
NOT_RUN = {
    "make test": "it runs these tests",
    ".venv/bin/pip install fiftyone==2.13.1": "it needs the private index of a FiftyOne Enterprise deployment",
}
# What is typed instead: answers that a person gives at the terminal, and addresses that lead to the embedded workspace.
# Names in capitals are variables that the test sets.
INSTEAD = {
    "pulumi login file:///srv/pulumi-state": 'pulumi login "file://$STATE"',
    "pulumi config set --secret fiftyone:databaseUri -s dev": 'printf %s "$DATABASE_URI" | {}',
    "pulumi config set --secret fiftyone:encryptionKey -s dev": 'printf %s "$ENCRYPTION_KEY" | {}',
    "pulumi config set --secret fiftyone:pypiUrl -s dev": 'printf %s "$PYPI_URL" | {}',
    "pulumi config set --secret fiftyone:apiKey -s dev": 'printf %s "$API_KEY" | {}',
    "export DATABRICKS_HOST=https://example.cloud.databricks.com": 'export DATABRICKS_HOST="$ADDRESS"',
    "export DATABRICKS_ACCOUNT_ID=…": 'export DATABRICKS_ACCOUNT_ID="$ACCOUNT_ID"',
    "export DATABRICKS_TOKEN=…": 'export DATABRICKS_TOKEN="$TOKEN"',
    "make up STACK=dev": "{} ARGS=--yes",
}


def sections() -> dict[str, str]:
    """The page's text by its headings of the second level."""
    parts = re.split(r"^## (.*)$", (REPO / "README.md").read_text(), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def blocks(section: str, language: str) -> list[str]:
    """The blocks of a language in a section, in order; output has none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", sections()[section], re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def commands(section: str) -> list[str]:
    """The commands of a section, without what the shell takes for a remark."""
    lines = [line for block in blocks(section, "sh") for line in block.splitlines()]
    return [stripped for line in lines if (stripped := re.sub(r"(^|\s+)#\s.*$", "", line))]


def typed(command: str) -> str:
    """What a test types for a command; nothing where it cannot be run."""
    return "" if command in NOT_RUN else INSTEAD.get(command, "{}").format(command)
