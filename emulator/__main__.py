"""The command line: `python -m emulator VERB … --home DIR`.

`start`, `stop` and `serve` are about the server; `refresh` and `delegate` do on a running one what a person clicks in
FiftyOne, and end with 1 if the run fails.
"""

import argparse
import sys
from pathlib import Path

from emulator import process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="A stand-in for a Databricks workspace.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("start", "start the server unless it runs, and print its address"),
        ("stop", "stop the server, and print what its workspace holds"),
        ("serve", "be the server, in the foreground"),
    ):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("--home", type=Path, required=True, help="the folder that keeps the workspace")
        if verb != "stop":
            sub.add_argument("--port", type=int, choices=range(65536), metavar="PORT", help="0: the kept one or any")
        if verb == "serve":
            sub.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    for verb, text in (
        ("refresh", "have FiftyOne ask an orchestrator for its operators, and wait for the run"),
        ("delegate", "have FiftyOne run an operator on an orchestrator, and wait for the run"),
    ):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("instance_id")
        if verb == "delegate":
            sub.add_argument("operator", help="such as @example/hello/count_samples")
        sub.add_argument("--home", type=Path, required=True, help="the folder that keeps the workspace")
    arguments = parser.parse_args()
    try:
        if arguments.verb in ("refresh", "delegate"):
            # Only these need a client.
            from emulator.clicks import click

            body = {"operator": arguments.operator} if arguments.verb == "delegate" else {}
            return 0 if click(arguments.home, arguments.verb, arguments.instance_id, body) else 1
        if arguments.verb == "start":
            print(process.start(arguments.home, arguments.port))
        elif arguments.verb == "stop":
            print(process.stop(arguments.home))
        else:
            process.serve(
                arguments.home, process.DEFAULT_PORT if arguments.port is None else arguments.port, arguments.fd
            )
    except process.ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
