"""Instance pools: create, get, edit, delete, list. Owns their rules; no machine stands behind them."""

import json
import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from emulator.api import Body, Call, Route, invalid, missing, only
from emulator.clusters import Count, DockerImage, NodeTypeFlexibility, Scalar, Text
from emulator.permissions import forget, grant
from emulator.store import ME, new_id

AWS = "availability instance_profile_arn spot_bid_price_percent zone_id"


class Pool(Body):
    """The limits are those of the provider's documentation, `docs/resources/instance_pool.md`."""

    instance_pool_name: Annotated[str, Field(min_length=1, max_length=99)]
    node_type_id: Text
    min_idle_instances: Count | None = None
    max_capacity: Count | None = None
    idle_instance_autotermination_minutes: Annotated[int, Field(ge=0, le=10000)] | None = None
    custom_tags: Annotated[dict[str, str], Field(max_length=43)] | None = None
    enable_elastic_disk: bool | None = None
    disk_spec: Annotated[dict[str, int | dict[str, str]], only("disk_type disk_count disk_size")] | None = None
    preloaded_spark_versions: Annotated[list[str], Field(max_length=1)] | None = None
    preloaded_docker_images: list[DockerImage] | None = None
    aws_attributes: Annotated[dict[str, Scalar], only(AWS)] | None = None
    azure_attributes: Annotated[dict[str, Scalar], only("availability spot_bid_max_price")] | None = None
    gcp_attributes: Annotated[dict[str, Scalar], only("gcp_availability local_ssd_count zone_id")] | None = None
    node_type_flexibility: NodeTypeFlexibility | None = None


class PoolEdit(Pool):
    instance_pool_id: str


class PoolId(Body):
    instance_pool_id: str


# What the provider replaces a pool for (`force_new` in its resource_instance_pool.go).
FIXED = (
    *("node_type_id", "node_type_flexibility", "enable_elastic_disk", "disk_spec", "preloaded_spark_versions"),
    *("preloaded_docker_images", "aws_attributes", "azure_attributes", "gcp_attributes"),
)


def find_pool(db: sqlite3.Connection, pool_id: str) -> dict[str, Any] | None:
    """A pool's settings as they were sent, or None."""
    row = db.execute("SELECT spec FROM pools WHERE id = ?", (pool_id,)).fetchone()
    return json.loads(row["spec"]) if row else None


def _existing(db: sqlite3.Connection, pool_id: str) -> dict[str, Any]:
    if (spec := find_pool(db, pool_id)) is None:
        raise missing(f"Can't find an instance pool with id: {pool_id}.")
    return spec


def _check(db: sqlite3.Connection, pool: Pool, pool_id: str = "") -> None:
    if pool.max_capacity is not None and (pool.min_idle_instances or 0) > pool.max_capacity:
        raise invalid("min_idle_instances cannot be greater than max_capacity.")
    name = pool.instance_pool_name
    if db.execute("SELECT 1 FROM pools WHERE name = ? AND id != ?", (name, pool_id)).fetchone():
        raise invalid(f"An instance pool with the name '{name}' already exists.")


def _shown(pool_id: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "instance_pool_id": pool_id, "state": "ACTIVE"}


def create(call: Call) -> dict[str, Any]:
    pool = call.read(Pool)
    _check(call.db, pool)
    pool_id = f"{datetime.now(UTC):%m%d-%H%M%S}-standin{new_id(call.db) % 1000}-pool-{secrets.token_hex(4)}"
    call.db.execute("INSERT INTO pools VALUES (?, ?, ?)", (pool_id, pool.instance_pool_name, json.dumps(pool.plain())))
    grant(call.db, f"/instance-pools/{pool_id}", "user_name", ME, "CAN_MANAGE")
    return {"instance_pool_id": pool_id}


def get(call: Call) -> dict[str, Any]:
    pool_id = call.need("instance_pool_id")
    return _shown(pool_id, _existing(call.db, pool_id))


def edit(call: Call) -> dict[str, Any]:
    """Replace what can be edited; what cannot may be left out or sent as it is."""
    pool = call.read(PoolEdit)
    old, new = _existing(call.db, pool.instance_pool_id), pool.plain()
    for name in FIXED:
        # An unset field and an empty or false one are the same to the platform.
        if name in new and (new[name] or None) != (old.get(name) or None):
            raise invalid(f"The field '{name}' of an instance pool cannot be edited.")
    _check(call.db, pool, pool.instance_pool_id)
    del new["instance_pool_id"]
    spec = {name: old[name] for name in FIXED if name in old} | new
    call.db.execute(
        "UPDATE pools SET name = ?, spec = ? WHERE id = ?",
        (pool.instance_pool_name, json.dumps(spec), pool.instance_pool_id),
    )
    return {}


def delete(call: Call) -> dict[str, Any]:
    """Jobs may still refer to the pool: the platform finds that when their clusters start."""
    pool_id = call.read(PoolId).instance_pool_id
    _existing(call.db, pool_id)
    call.db.execute("DELETE FROM pools WHERE id = ?", (pool_id,))
    forget(call.db, f"/instance-pools/{pool_id}")
    return {}


def list_all(call: Call) -> dict[str, Any]:
    rows = call.db.execute("SELECT id, spec FROM pools ORDER BY name").fetchall()
    return {"instance_pools": [_shown(row["id"], json.loads(row["spec"])) for row in rows]} if rows else {}


ROUTES: list[Route] = [
    ("POST", "/api/2.0/instance-pools/create", create),
    ("GET", "/api/2.0/instance-pools/get", get),
    ("POST", "/api/2.0/instance-pools/edit", edit),
    ("POST", "/api/2.0/instance-pools/delete", delete),
    ("GET", "/api/2.0/instance-pools/list", list_all),
]
