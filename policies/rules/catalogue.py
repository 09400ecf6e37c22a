"""All rules, in the order of the documentation."""

from typing import Final

from rules import access, concurrency, pool_use, pools, registration, requirements, rotation, secrets, workers
from rules.model import Rule

GROUPS: Final[dict[str, tuple[Rule, ...]]] = {
    "Pools": (*pools.RULES, *pool_use.RULES),
    "Workers": workers.RULES,
    "Concurrency": concurrency.RULES,
    "Secrets": secrets.RULES,
    "Access": access.RULES,
    "Rotation": rotation.RULES,
    "Registration": registration.RULES,
    "Requirements": requirements.RULES,
}
RULES: Final[tuple[Rule, ...]] = tuple(rule for rules in GROUPS.values() for rule in rules)
