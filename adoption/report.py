"""What a person reads before the question: what was found, how it differs, and the lines that keep what stands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from adoption.differences import Difference, stack_file_lines
from adoption.import_file import Resource
from adoption.survey import Finding
from components.settings import Settings


def finding_lines(found: Finding, settings: Settings) -> Iterator[str]:
    """What stands for one orchestrator."""
    yield f"{found.instance_id}:"
    registration, job = found.registration, found.job
    if registration is None:
        yield "  registration  none in FiftyOne: `make up` registers it"
    else:
        made = registration.created_at or "nobody knows when"
        yield f"  registration  in FiftyOne, made {made}; operators listed: {len(registration.operators)}"
    yield f"  secrets       {', '.join(found.secrets) or 'none that the stack would write'}"
    if job is None:
        yield "  job           none: `make up` makes it"
        return
    yield f"  job           {job.id} ({job.name})"
    for pool in found.pools:
        yield f"  pool          {pool.id} ({pool.name}): {pool.node_type}, at most {pool.capacity or 'any number'}"
    for name in job.scopes:
        keys = ", ".join(sorted(found.scopes[name].keys)) if name in found.scopes else "not to be seen from here"
        yield f"  scope         {name}: {keys}"
    yield f"  files         {', '.join(job.files)}"
    if not all(path.startswith(f"{settings.workspace_dir}/") for path in job.files):
        yield f"                (they stay; the job moves to the stack's own in {settings.workspace_dir})"
    yield f"  started by    {', '.join(found.triggers) or 'no service principal'}"
    yield f"  runs as       {job.run_as}"


def difference_lines(found: Sequence[Difference], stack: str) -> Iterator[str]:
    """The differences, and what to write to keep what stands."""
    if not found:
        yield "The settings agree with what stands."
        return
    yield "What stands differs from the settings, and `make up` would change it to what is set:"
    yield from (f"  {each}" for each in found)
    if lines := stack_file_lines(list(found)):
        yield f"To keep what stands, put under `config:` in Pulumi.{stack}.yaml (`pool` in place of `nodeType`):"
        yield from (f"  {line}" for line in _yaml(lines))


def pool_limit_lines(found: Sequence[Finding], settings: Settings, limits: Path) -> Iterator[str]:
    """What the policy pack wants to be told of pools that the settings use as they are (docs/policies.md)."""
    used = {pool for each in settings.orchestrators.values() for pool in (each.pool, each.registration_pool) if pool}
    stated = _stated(limits)
    pools = {pool.id: pool for each in found for pool in each.pools if pool.id in used - stated}
    if pools:
        entries = [
            {"id": pool.id, "capacity": pool.capacity or 1, "nodeType": pool.node_type} for pool in pools.values()
        ]
        yield f"The policy pack wants existing pools stated, in policies/limits/{limits.name}:"
        yield f'  "existing-pool": {{ "pools": {json.dumps(entries)} }}'


def question_lines(resources: Sequence[Resource], secrets: Sequence[str], kept: Sequence[str]) -> Iterator[str]:
    """What is asked about; `kept` are the instance ids of registrations that `up` takes over as they stand."""
    yield "To be adopted:"
    yield from (f"  into the stack's state: {each.kind.rpartition(':')[2]} {each.id}" for each in resources)
    yield from (f"  marked as the stack's in FiftyOne: secret {key}" for key in secrets)
    yield from (f"  the stack's from the next `make up` on, as it stands: registration {name}" for name in kept)


def _stated(limits: Path) -> set[str]:
    if not limits.is_file():
        return set()
    found: Mapping[str, Any] = json.loads(limits.read_text())
    pools: list[dict[str, Any]] = found.get("existing-pool", {}).get("pools", [])
    return {str(pool.get("id")) for pool in pools}


def _yaml(tree: Mapping[str, Any]) -> list[str]:
    return yaml.safe_dump(dict(tree), sort_keys=False, default_flow_style=False, width=1000).splitlines()
