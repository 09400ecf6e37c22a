"""Whether a run before may have left what the state does not know: `make` says so (toolchain/stack.py).

On a clean day nothing is asked for that; a change looks before it acts either way.
"""

import os
from typing import Final

LEFT_OVERS: Final = "LOOK_FOR_LEFT_OVERS"


def looks_for_left_overs() -> bool:
    """Whether this run is to look for them."""
    return os.environ.get(LEFT_OVERS) == "yes"
