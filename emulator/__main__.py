"""The command line: `python -m emulator start|stop|serve --home DIR`."""

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
    arguments = parser.parse_args()
    try:
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
