"""What looks like a credential: a URI with user info, a token's shape, or a name that says so. Shows no value."""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

# What the whole value must be for Databricks to resolve it (terraform-provider #1898).
REFERENCE: Final = re.compile(r"\{\{secrets/(?P<scope>[\w.@-]+)/(?P<key>[\w.-]+)\}\}")

_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,;'\"]+", re.IGNORECASE)
# The prefixes by which Databricks, GitHub, GitLab, AWS, Google, Slack, OpenAI and others know their tokens, a JSON web
# token, and a private key in PEM.
_TOKEN: Final = re.compile(
    r"\b(dapi|dose|dkea)[0-9a-f]{32}|\bgh[pousr]_\w{20}|\bgithub_pat_\w{20}|\bglpat-[\w-]{16}|\bhf_[A-Za-z]{20}"
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30}|\bxox[abprs]-[\w-]{10}|\bsk-[\w-]{20}|\bpypi-[\w-]{20}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def is_reference(value: str) -> bool:
    """Whether the value is a secret reference and nothing else."""
    return REFERENCE.fullmatch(value) is not None


def problem(name: str, value: str, secret_words: Collection[str]) -> str | None:
    """How a variable holds a credential in the clear; `secret_words` are parts of names, in capitals."""
    if is_reference(value) or not value:
        return None
    if re.search(r"\{\{\s*secrets/", value):
        return "holds a secret reference that is not the whole value, which Databricks does not resolve"
    if has_user_info(value):
        return "holds an address with user info in the clear"
    if _TOKEN.search(value):
        return "holds what has the shape of a token or key in the clear"
    if _names_secret(name, secret_words):
        return "names a credential and holds its value in the clear"
    return None


def has_user_info(value: str) -> bool:
    """Whether a text holds a URI with a user, password or token; storage paths (abfss) have a container there."""
    for uri in (match.group() for match in _URI.finditer(value)):
        try:
            parts = urlsplit(uri)
        except ValueError:
            return "@" in uri
        if "@" in parts.netloc and parts.scheme.lower() not in ("abfs", "abfss", "wasb", "wasbs"):
            return True
    return False


def _names_secret(name: str, words: Collection[str]) -> bool:
    parts = f"_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_"
    return any(f"_{word.upper()}_" in parts for word in words)
