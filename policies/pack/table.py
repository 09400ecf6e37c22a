"""docs/policies.md, made of the rules: `python -m pack.table`, in the pack's folder, prints it."""

from collections.abc import Iterator
from typing import Any, cast

from rules.catalogue import GROUPS
from rules.model import Limit, ResourceRule

INTRODUCTION = """\
# The policy pack

<!-- Made by `make policies-table` of policies/rules/; a test keeps it current. -->

[policies/](../policies/) holds a stack against these rules at every `make up` and `make preview`, and with plain
`pulumi preview --policy-pack policies` and `pulumi up --policy-pack policies`. They are mandatory, unless they are
marked *warns*: one that is violated stops the preview, and with it the `up`. A message names the setting to change:

```
- [mandatory]  worker-count  (databricks:index/job:Job: gpu)
  The number of a run's workers is set and within the limit.
  job gpu (execution): numWorkers is 9999, above the limit of 3 (worker-count.maxWorkers in policies/limits/dev.json).
  Each run takes that many instances of the pool, beside its driver's. Set `orchestrators.gpu.workers` within it.
```

An environment sets limits of its own in `policies/limits/<stack>.json`, by rule, and only those that differ from their
defaults:

```json
{
  "worker-count": { "maxWorkers": 8 },
  "pool-node-type": { "nodeTypes": ["c3-standard-4-lssd"] },
  "existing-pool": { "pools": [{ "id": "1123-075537-gpus", "capacity": 40, "nodeType": "g2-standard-8" }] }
}
```

The last has to be stated for an existing pool (`pool`, `registrationPool`), because no preview can see its size.

The pack does not start where that file names an unknown rule or limit, holds a value of a wrong type, or tries to
change a rule's level. A limit is a ceiling: a setting of the stack above it is the violation. (A file that is given to
Pulumi as `--policy-pack-config` can still switch rules off, like leaving out `--policy-pack` does; the make targets
do neither.)

What only the update will know is named as checked at update, by an advisory policy, `checked-at-update`, and
checked then. Rules on the stack as a whole are marked *stack*: in an `up` they report when everything exists, and the
preview before it can decide all of them; do not skip it.
"""


def table() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_groups()])


def _groups() -> Iterator[str]:
    for group, rules in GROUPS.items():
        yield f"## {group}\n"
        yield "| rule | what it demands | limit | default | the limit's source |"
        yield "| --- | --- | --- | --- | --- |"
        for rule in rules:
            kind = "" if isinstance(rule, ResourceRule) else " *stack, warns*" if rule.warns else " *stack*"
            head, says = f"`{rule.name}`{kind}", rule.says
            for limit in rule.limits or (None,):
                cells = ("", "", "") if limit is None else (f"`{limit.name}`", _default(limit), limit.why)
                yield f"| {head} | {says} | {' | '.join(cells)} |"
                head = says = ""
        yield ""


def _default(limit: Limit[Any]) -> str:
    default = cast("tuple[object, ...] | int | str", limit.default)
    if isinstance(default, tuple):
        return ", ".join(f"`{entry}`" for entry in default) or "none"
    return str(default)


if __name__ == "__main__":
    print(table(), end="")
