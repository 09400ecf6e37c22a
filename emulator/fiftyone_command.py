"""The command `fiftyone` that runs find here: a stand-in, which reads plugins as FiftyOne does and computes nothing.

    fiftyone --version                        says that it is none
    fiftyone delegated ...                    says what it was asked for, and which plugins it would have
    fiftyone plugins list | operators list    what lies under FIFTYONE_PLUGINS_DIR
    fiftyone stand-in sleep SECONDS | exit CODE | env NAME
                                              the stand-in's own, for tests: FiftyOne has no such command

A program of its own, run by its path: it imports nothing of the emulator.
"""

import json
import os
import signal
import sys
import time
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
            operators = cast("list[Any]", metadata.get("operators") or [])
            found.append((str(metadata["name"]), [str(operator) for operator in operators], file.parent))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError) as problem:
            say(f"Failed to parse plugin {str(file)!r}: {type(problem).__name__}")
    return found


def say(text: str) -> None:
    print(text, flush=True)


def interrupted(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    say(SAID_FIRST)
    match arguments:
        case ["--version" | "-v"]:
            say("FiftyOne stand-in")
        case ["delegated", verb, *rest]:
            say(f"delegated {verb}: {len(rest)} arguments; nothing to do")
            for name, operators, _ in plugins():
                say(f"plugin {name}: {len(operators)} operators")
        case ["plugins", "list", *_]:
            for name, _, folder in plugins():
                say(f"{name}\t{folder}")
        case ["operators", "list", *_]:
            for name, operators, _ in plugins():
                for operator in operators:
                    say(f"{name}/{operator}")
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
