"""What to do next: the last lines of a make target that went well, for whoever sits at a terminal.

Owns these words. A pipe gets none of it but the address of the embedded workspace's page.
"""

import sys

from toolchain.environment import LOCAL_STACK

NEXT = {
    "preflight": (("preview", "shows what would change"),),
    "preview": (("up", "deploys it"),),
    "up": (
        ("run", "starts the job once and shows its log"),
        ("verify", "follows the whole chain, up to a run of the job"),
    ),
    "rotate": (("verify", "follows the whole chain, up to a run of the job"),),
    "run": (("verify", "follows the whole chain, from FiftyOne's credential on"),),
    "verify": (("rotate-due", "for schedules: keeps the credential young"),),
    "refresh": (("preview", "shows what differs from the settings"),),
    "destroy": (("up", "deploys it again"),),
}


def say_next(verb: str, stack: str, host: str = "") -> None:
    """Print it; `host` is that of the embedded workspace, where it runs."""
    if verb == "up" and stack == LOCAL_STACK:
        print(f"\nEmbedded workspace and FiftyOne: {host}/", flush=True)
    if not sys.stdout.isatty():
        return
    of = "" if stack == LOCAL_STACK else f" STACK={stack}"
    commands = [(f"make {target}{of}", what) for target, what in NEXT[verb]]
    width = max(len(command) for command, _ in commands)
    print("\nNext:", *(f"  {command.ljust(width)}   {what}" for command, what in commands), sep="\n", flush=True)
