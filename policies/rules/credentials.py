"""What looks like a credential: a URI with user info, a token's shape, or a name that says so. Shows no value."""

import re
import shlex
from collections.abc import Collection
from typing import Final

# What the whole value must be for Databricks to resolve it (terraform-provider #1898).
REFERENCE: Final = re.compile(r"\{\{secrets/(?P<scope>[\w.@-]+)/(?P<key>[\w.-]+)\}\}")

# Whatever stands between the two: a password in plain text may hold any character, and which of them end an address is
# what nobody can tell. An address with an @ further on is taken for one with a password; the limits name what is none.
_USER_INFO: Final = re.compile(r"[a-z][a-z0-9+.-]*://.*@", re.IGNORECASE | re.DOTALL)
# Azure's storage paths have their container where others have a user.
_CONTAINER: Final = re.compile(r"(?<![a-z0-9+.-])(abfss?|wasbs?)://[\w$.-]+@", re.IGNORECASE)
# An account's key in a connection string of Azure's, and the signature that makes an address of its storage a key.
_AZURE: Final = re.compile(
    r"(^|[;\s])(AccountKey|SharedAccessKey|SharedAccessSignature)\s*=\s*[^;\s]|(^|[?&;])sig=[^&;\s]", re.IGNORECASE
)
# The prefixes by which Databricks, GitHub, GitLab, AWS, Google, Slack, OpenAI and others know their tokens, a JSON web
# token, and a private key in PEM. What follows `sk-` and `pypi-` has no hyphens for long, unlike the names of files.
_TOKEN: Final = re.compile(
    r"\b(dapi|dose|dkea)[0-9a-f]{32}|\bgh[pousr]_\w{20}|\bgithub_pat_\w{20}|\bglpat-[\w-]{16}|\bhf_[A-Za-z]{20}"
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30}|\bxox[abprs]-[\w-]{10}|\bsk-[\w-]*?[A-Za-z0-9]{20}"
    r"|\bpypi-AgE[\w-]{16}|\beyJ[\w-]{8,}\.[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY"
)
# The parts of a name: runs of capitals, words with or without a capital, and digits.
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Letters from which on a word counts at the end of a longer one too (PGPASSWORD), and no other is likely to end in it
# by chance (COMPASS).
_LONG: Final = 5
# Shells keep the working directory there, and PWD is a word of the rule's for what MYSQL_PWD holds.
_NO_SECRETS: Final = ("PWD",)


def is_reference(value: str) -> bool:
    """Whether the value is a secret reference and nothing else."""
    return REFERENCE.fullmatch(value) is not None


def unquoted(value: str) -> str:
    """What a shell makes of a value that is one word to it, as the cluster's does; any other value as it is."""
    try:
        words = shlex.split(value)
    except ValueError:
        words = list[str]()
    return words[0] if len(words) == 1 else value.strip("'\"")


def problem(name: str, value: str, secret_words: Collection[str]) -> str | None:
    """How a variable holds a credential in the clear; `secret_words` are parts of names."""
    if is_reference(value) or not value:
        return None
    if re.search(r"\{\{\s*secrets/", value):
        return "holds a secret reference that is not the whole value, which Databricks does not resolve"
    if has_user_info(value):
        return "holds an address with user info in the clear"
    if _TOKEN.search(value) or _AZURE.search(value):
        return "holds what has the shape of a token or key in the clear"
    if _names_secret(name, secret_words):
        return "names a credential and holds its value in the clear"
    return None


def has_user_info(value: str) -> bool:
    """Whether a text holds an address with a user, password or token; storage paths (abfss) have a container there."""
    return _USER_INFO.search(_CONTAINER.sub("", value)) is not None


def _names_secret(name: str, words: Collection[str]) -> bool:
    if name in _NO_SECRETS:
        return False
    parts = [part.upper() for part in _PART.findall(name)]
    ends = range(1, len(parts) + 1)
    runs = ["".join(parts[start:end]) for end in ends for start in range(end)]
    plain = [re.sub(r"[^A-Z0-9]", "", word.upper()) for word in words]
    return any(run == word or (len(word) >= _LONG and run.endswith(word)) for word in plain for run in runs)
