"""Runs the command that FiftyOne sends to a task of the job, and ends as that command ended.

FiftyOne starts a task with the job parameter `command`, and the task passes it on as `--command` (guide, "Create Job
Entrypoint"). Runs on the runtime's own Python with nothing but its standard library.
"""

import argparse
import os
import shlex
import subprocess
import sys

# On Databricks' FIPS images it makes opencv abort with an OpenSSL self-test failure when it is imported.
ABORTS_OPENCV = "OPENSSL_FORCE_FIPS_MODE"


def main() -> int:
    """Run the command; its exit code, or 2 where it is not one to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True, help="the FiftyOne command line to run")
    command = shlex.split(parser.parse_args().command)
    if command[:1] != ["fiftyone"]:
        print("entrypoint: only the `fiftyone` command is run here; nothing was started", file=sys.stderr)
        return 2
    environment = {name: value for name, value in os.environ.items() if name != ABORTS_OPENCV}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    # A task that ends by sys.exit(0) is taken as failed by some runtimes, so success just ends.
    code = main()
    if code:
        sys.exit(code)
