"""What clusters can be made of: runtimes and node types, a few of each that a workspace on Google Cloud has.

Shapes as in the platform's documentation (List Spark versions, List node types); the entries are fixed, and neither
pools nor jobs are held against them.
"""

from typing import Any

from emulator.api import Call, Route

# Runtime, and the Spark and Scala in it (Databricks' release notes).
RUNTIMES = (("15.4", "3.5.0", "2.12"), ("16.4", "3.5.2", "2.12"), ("16.4", "3.5.2", "2.13"), ("17.3", "4.0.0", "2.13"))
# Name, cores, GB of memory, GPUs, local disks of 375 GB (Google's documentation of machine types).
NODES = (
    ("c3-standard-4-lssd", 4, 16, 0, 1),
    ("c3-standard-8-lssd", 8, 32, 0, 2),
    ("g2-standard-4", 4, 16, 1, 1),
    ("g2-standard-8", 8, 32, 1, 1),
    ("n2-highmem-4", 4, 32, 0, 0),
    ("n2-standard-4", 4, 16, 0, 0),
)


def spark_versions(_: Call) -> dict[str, Any]:
    versions: list[dict[str, str]] = []
    for runtime, spark, scala in RUNTIMES:
        for variant, title in (("", ""), ("-cpu-ml", " ML"), ("-gpu-ml", " ML GPU")):
            name = f"{runtime} LTS{title} (includes Apache Spark {spark}, Scala {scala})"
            versions.append({"key": f"{runtime}.x{variant}-scala{scala}", "name": name})
    return {"versions": versions}


def node_types(_: Call) -> dict[str, Any]:
    return {"node_types": [_node_type(*node) for node in NODES]}


def _node_type(name: str, cores: int, memory_gb: int, gpus: int, disks: int) -> dict[str, Any]:
    return {
        "node_type_id": name,
        "memory_mb": memory_gb * 1024,
        "num_cores": float(cores),
        "num_gpus": gpus,
        "description": name,
        "instance_type_id": name,
        "category": "GPU Accelerated" if gpus else "General Purpose",
        "is_deprecated": False,
        "is_hidden": False,
        "node_instance_type": {
            "instance_type_id": name,
            "local_disks": disks,
            "local_disk_size_gb": 375 if disks else 0,
        },
        "support_cluster_tags": True,
        "support_ebs_volumes": False,
    }


ROUTES: list[Route] = [
    ("GET", "/api/2.1/clusters/spark-versions", spark_versions),
    ("GET", "/api/2.1/clusters/list-node-types", node_types),
]
