"""The engine's resources as the plain data that rules take.

Owns the gaps: a value that is read while it is unknown raises in the SDK, key by key, and null is absent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError

from rules.model import Resource
from rules.values import ABSENT, UNKNOWN


def of_resource(args: ResourceValidationArgs) -> Resource:
    """The resource of a resource policy; what it depends on is not told there."""
    return Resource(type=args.resource_type, name=args.name, urn=args.urn, properties=plain(args.props))


def of_stack(resources: Sequence[PolicyResource]) -> list[Resource]:
    """The resources of a stack policy, with what each property comes from, one step deep."""
    found = {resource.urn: _without_dependencies(resource) for resource in resources}
    return [
        Resource(
            type=resource.resource_type,
            name=resource.name,
            urn=resource.urn,
            properties=found[resource.urn].properties,
            depends_on={
                name: [found[source.urn] for source in sources]
                for name, sources in resource.property_dependencies.items()
            },
        )
        for resource in resources
    ]


def plain(value: Any) -> Any:
    """A property, or all of them, without the SDK's proxies."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        found = {name: _read(mapping, name) for name in mapping}
        return {name: entry for name, entry in found.items() if entry is not ABSENT}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_read(value, index) for index in range(len(cast("Sequence[Any]", value)))]
    return ABSENT if value is None else value


def _read(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def _without_dependencies(resource: PolicyResource) -> Resource:
    return Resource(type=resource.resource_type, name=resource.name, urn=resource.urn, properties=plain(resource.props))
