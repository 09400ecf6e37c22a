"""The command `fiftyone` that runs find here: a stand-in, which reads plugins as FiftyOne does and computes nothing.

    fiftyone --version                        says that it is none
    fiftyone delegated execute OPERATOR       fails unless a plugin has the operator; FiftyOne's true words after
                                              `delegated` are not public
    fiftyone delegated ...                    says what it was asked for, and which plugins it would have
    fiftyone plugins list | operators list    what lies under FIFTYONE_PLUGINS_DIR
    fiftyone stand-in report-operators ID     tells the API at API_URL which operators the plugins have
    fiftyone stand-in sleep SECONDS | exit CODE | env NAME
                                              the stand-in's own: FiftyOne has no such command, and the one by which its
                                              workers report is not public

A program of its own, run by its path: it imports nothing of the emulator.
"""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, cast

import yaml

SAID_FIRST = "stand-in for the FiftyOne CLI, part of the emulator; nothing is computed"
METADATA = ("fiftyone.yml", "fiftyone.yaml")


def plugin_files(folder: str) -> Iterator[Path]:
    """As FiftyOne finds them: links are followed, hidden folders are not, and there is no plugin inside a plugin."""
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        found = next((name for name in files if name in METADATA), None)
        folders[:] = [] if found or real in seen else sorted(name for name in folders if not name.startswith("."))
        if found and real not in seen:
            yield Path(root, found)
        seen.add(real)


def plugins() -> list[tuple[str, list[str], Path]]:
    """Name, operators and folder of each plugin; one that cannot be read is said and left out."""
    found: list[tuple[str, list[str], Path]] = []
    for file in plugin_files(os.environ.get("FIFTYONE_PLUGINS_DIR", "")):
        try:
            metadata: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
            own = cast("list[Any]", metadata.get("operators") or [])
            found.append((str(metadata["name"]), [str(operator) for operator in own], file.parent))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError) as problem:
            say(f"Failed to parse plugin {str(file)!r}: {type(problem).__name__}")
    return found


def operators() -> list[str]:
    """By the names that FiftyOne gives them: the plugin's and their own."""
    return [f"{name}/{operator}" for name, own, _ in plugins() for operator in own]


def report(instance_id: str) -> int:
    """Tell FiftyOne's API what is here; the exit code."""
    found, url = operators(), os.environ.get("API_URL", "").rstrip("/")
    headers = {"Content-Type": "application/json"}
    if internal := os.environ.get("FIFTYONE_INTERNAL_SERVICE"):
        headers["FiftyOne-Internal-Service"] = internal
    path = f"/orchestrators/{urllib.parse.quote(instance_id, safe='')}/operators"
    # The API is the stand-in's, on this machine: no proxy is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(url + path, json.dumps({"operators": found}).encode(), headers)  # noqa: S310 - the job's own
        opener.open(request, timeout=30).close()
    except urllib.error.HTTPError as refusal:
        return failed(f"FiftyOne's API at API_URL={url} refused the operators: {refusal.read().decode()}")
    except (OSError, ValueError) as problem:
        return failed(f"FiftyOne's API cannot be reached at API_URL={url!r}: {problem}")
    say(f"reported {len(found)} operators of {instance_id}: {' '.join(found)}")
    return 0


def failed(text: str) -> int:
    print(f"fiftyone: {text}", file=sys.stderr)
    return 1


def say(text: str) -> None:
    print(text, flush=True)


def interrupted(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    say(SAID_FIRST)
    match arguments:
        case ["--version" | "-v"]:
            say("FiftyOne stand-in")
        case ["delegated", "execute", operator]:
            if operator not in operators():
                return failed(f"operator {operator} is not among those of the plugins here")
            say(f"executed {operator}")
        case ["delegated", verb, *rest]:
            say(f"delegated {verb}: {len(rest)} arguments; nothing to do")
            for name, own, _ in plugins():
                say(f"plugin {name}: {len(own)} operators")
        case ["plugins", "list", *_]:
            for name, _, folder in plugins():
                say(f"{name}\t{folder}")
        case ["operators", "list", *_]:
            for operator in operators():
                say(operator)
        case ["stand-in", "report-operators", instance_id]:
            return report(instance_id)
        case ["stand-in", "sleep", seconds]:
            signal.signal(signal.SIGTERM, interrupted)
            say(f"sleeping for {seconds} seconds")
            time.sleep(float(seconds))
        case ["stand-in", "exit", code]:
            return int(code)
        case ["stand-in", "env", name]:
            say(json.dumps(os.environ.get(name)))
        case _:
            print("fiftyone: not a command that this stand-in has", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
