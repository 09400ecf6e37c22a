"""Which resource a request is made for, and what a step asks when nothing goes wrong.

The databricks provider says in each request which resource it is about; the dynamic providers' requests are told by
their paths, and FiftyOne's by their functions. A request that nothing here knows makes the recording fail, so that no
resource stays without faults unnoticed.
"""

import re
from dataclasses import dataclass

from tests.engine.api_call import Call
from tests.faults.picture import Picture
from tests.faults.steps import RUN, Step
from tests.faults.world import World

DISCOVERY = "(discovery)"
NAMED = re.compile(r"resource/(\w+)")
ID = re.compile(r"\d{4}-\d{6}-\w+-pool-\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\d{9,}")
# The first that fits; what a step does not concern, by `verbs`, is somebody else's.
DYNAMIC = [
    (re.compile(pattern), resource, frozenset(verbs.split()))
    for pattern, resource, verbs in (
        (r"GET /\.well-known/databricks-config", DISCOVERY, ""),
        (r"\w+ /api/2\.0/secrets/(put|list|delete)", "databricks:Secret", ""),
        (r"\w+ /api/2\.0/secrets/acls/", "ScopeGrant", ""),
        (r"\w+ /api/2\.0/permissions/instance-pools/", "PoolGrant", ""),
        (r"\w+ /api/2\.0/preview/accounts/access-control/rule-sets", "RoleGrant", ""),
        (r"GET /api/2\.0/preview/scim/v2/Me", "Deployer", "name"),
        (r"GET /api/2\.0/preview/scim/v2/Me", "RoleGrant", ""),
        (r"\w+ /api/2\.0/workspace/(list|delete) .*/plugins", "ArchiveRetention", "create update"),
        (r"\w+ /api/2\.0/workspace/(list|delete|mkdirs|import) .*/plugins", "Archive", ""),
        (r"POST /api/2\.0/workspace/import", "Archive", ""),
        (r"\w+ /api/2\.0/workspace/(list|delete|mkdirs|get-status)", "Folder", ""),
        (r"POST /api/2\.0/accounts/servicePrincipals/\d+/credentials/secrets", "Credential", ""),
        (r"GET /api/2\.0/accounts/servicePrincipals/\d+/credentials/secrets", "Credential", "read"),
        (r"\w+ /api/2\.0/accounts/servicePrincipals/\d+/credentials/secrets", "CredentialRetention", ""),
        (r"\w+ /api/2\.\d/jobs/", "OperatorRefresh", ""),
        (r"POST /fiftyone/orchestrators/\w+/operators", RUN, ""),
        (r"\w+_secrets?\b", "fiftyone:Secret", ""),
        (r"get_secret_info\b", "fiftyone:Secret", ""),
        (r"\w+_orchestrators?\b", "Orchestrator", ""),
    )
]


@dataclass(frozen=True, order=True)
class Kind:
    """Requests of one resource type that are alike; ids in the name are left out."""

    resource: str
    name: str
    writes: bool
    is_fiftyone: bool


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A step in peace: the kinds of its requests in order, each once; the reads that came after a write of the same
    resource's; and what there was at the end.
    """

    kinds: tuple[Kind, ...]
    read_back: tuple[Kind, ...]
    end: Picture


def kind_of(call: Call, step: Step) -> Kind:
    """The kind of a request in a step. Raises LookupError."""
    resource = _resource(call, step)
    name = call.name.partition(" ")[0] if call.is_fiftyone else ID.sub("*", call.name)
    return Kind(resource, name, call.writes, call.is_fiftyone)


def record(world: World, step: Step) -> Recording:
    """Run the step with nothing in its way."""
    step.begin(world)
    world.proxy.calls.clear()
    run = step.run(world)
    assert run.code == 0, run.output
    found = [kind_of(call, step) for call in world.proxy.calls]
    counted = [kind for kind in found if not step.only or kind.resource in step.only]
    kinds = dict.fromkeys(counted)
    read_back = dict.fromkeys(
        kind
        for place, kind in enumerate(counted)
        if not kind.writes and any(each.writes and each.resource == kind.resource for each in counted[:place])
    )
    if step.verb == "delete":
        # What a fault has left of it, `make up` makes whole again.
        settled = world.stack.make_up()
        assert settled.code == 0, settled.output
    again = world.second_up()
    assert again.code == 0, again.output
    return Recording(kinds=tuple(kinds), read_back=tuple(read_back), end=world.picture())


def _resource(call: Call, step: Step) -> str:
    if named := NAMED.search(call.agent):
        return "".join(word.title() for word in named[1].split("_"))
    told = f"{call.name} {call.about}"
    for pattern, resource, steps in DYNAMIC:
        if pattern.match(told) and (not steps or step.name in steps or step.verb in steps):
            return resource
    raise LookupError(f"no resource is known to ask {told}")
