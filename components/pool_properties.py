"""What the instance pools of one orchestrator are made from, and a pool's properties by them; deploys nothing.

Without the databricks package, which takes a second to load, for what only has to know a pool's name (recovery/).
Source: guide, "Create Instance Pool".
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.cloud_settings import AwsSettings, AzureSettings, CloudSettings, GcpSettings
from components.orchestrator_settings import OrchestratorSettings


@dataclass(frozen=True, kw_only=True)
class InstancePoolsArgs:
    """What the pools are made from.

    `image` is the container image that execution clusters run, with the credentials to pull it, or None. `run_as` is
    the application id of the service principal that may take instances; None for the deployer, who has more.
    """

    stack: str
    instance_id: str
    orchestrator: OrchestratorSettings
    image: Mapping[str, Any] | None
    run_as: str | None


def pool_properties(args: InstancePoolsArgs, role: str) -> dict[str, Any]:
    """The pool of a role, `execution` or `registration`, as the arguments of `databricks.InstancePool`.

    The name ends in a hash of what Databricks cannot edit (instance_pool.md; `force_new` in the provider), so that a
    replacement can stand beside the pool it replaces, and of stack and instance id, which hyphens alone do not keep
    apart: names are unique in a workspace.
    """
    orchestrator = args.orchestrator
    execution = role == "execution"
    fixed: dict[str, Any] = {
        "node_type_id": orchestrator.node_type if execution else orchestrator.registration_node_type,
        "enable_elastic_disk": True,
        "preloaded_spark_versions": [orchestrator.spark_version],
        **_cloud_properties(orchestrator.cloud),
    }
    if execution and args.image is not None:
        fixed["preloaded_docker_images"] = [args.image]
    identity = [args.stack, args.instance_id, role, fixed]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:6]
    return {
        "instance_pool_name": f"fiftyone-{args.stack}-{args.instance_id}-{role}-{digest}",
        "min_idle_instances": orchestrator.min_idle_instances if execution else 0,
        "max_capacity": orchestrator.max_capacity if execution else orchestrator.registration_max_capacity,
        "idle_instance_autotermination_minutes": orchestrator.idle_minutes,
        "custom_tags": orchestrator.tags or None,
        **fixed,
    }


def _cloud_properties(cloud: CloudSettings | None) -> dict[str, Any]:
    """What is particular to one cloud; all of it fixed once the pool is made."""
    match cloud:
        case AwsSettings():
            properties: dict[str, Any] = {"aws_attributes": {"availability": cloud.availability, "zone_id": cloud.zone}}
            if cloud.disks:
                properties["disk_spec"] = _disks(
                    cloud.disks.count, cloud.disks.size_gb, ebs_volume_type=cloud.disks.type
                )
        case AzureSettings():
            properties = {"azure_attributes": {"availability": cloud.availability}}
            if cloud.disks:
                properties["disk_spec"] = _disks(
                    cloud.disks.count, cloud.disks.size_gb, azure_disk_volume_type=cloud.disks.type
                )
        case GcpSettings():
            ssds = cloud.disks.count if cloud.disks else None
            properties = {
                "gcp_attributes": {
                    "gcp_availability": cloud.availability,
                    "zone_id": cloud.zone,
                    "local_ssd_count": ssds,
                }
            }
        case None:
            properties = {}
    return properties


def _disks(count: int, size_gb: int, **disk_type: str) -> dict[str, Any]:
    return {"disk_count": count, "disk_size": size_gb, "disk_type": disk_type}
