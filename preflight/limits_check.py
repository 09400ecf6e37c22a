"""Whether the policy pack will start for the stack: its limits file is read as the pack reads it.

What the rules say of the stack takes the plan that the engine makes; `make preview` holds the stack against them, and
this does not repeat it. The pack is a program of its own, whose folder is on the path while it runs.
"""

import sys
from collections.abc import Iterator
from typing import Final

from preflight.result import Result, not_checked, right, wrong
from toolchain.paths import POLICY_PACK

if str(POLICY_PACK) not in sys.path:
    sys.path.append(str(POLICY_PACK))

from pack.limits import LIMITS, read_limits
from pack.refusal import PackRefusedError
from rules.catalogue import RULES

NAME: Final = "policy limits"


def check_limits(stack: str) -> Iterator[Result]:
    """What there is to say of the stack's limits file."""
    try:
        limits = read_limits(stack, RULES)
    except PackRefusedError as refusal:
        yield wrong(
            NAME,
            f"{refusal}: the pack would not start, and neither preview nor `up` would",
            "mend the file; docs/policies.md lists every limit",
        )
        return
    named = [(rule.name, limit) for rule in RULES for limit in rule.limits if limit in limits]
    shown = ", ".join(f"{rule}.{limit.name} {limits[limit]}" for rule, limit in named)
    file = f"{LIMITS.parent.name}/{LIMITS.name}/{stack}.json"
    yield right(NAME, f"{file} is valid: {shown}" if limits else f"the rules' defaults hold, without a {file}")
    yield not_checked(
        "policy rules", f"they judge the engine's plan: `make preview STACK={stack}` holds the stack to them"
    )
