"""The cluster that a job asks for, as a body. Owns its fields and how they go together; jobs.py knows the pools."""

from typing import Annotated

from pydantic import Field

from emulator.api import Body, invalid, only

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool
Storage = dict[str, Annotated[dict[str, str | bool], only("destination region endpoint enable_encryption kms_key")]]
NodeTypeFlexibility = Annotated[dict[str, list[str]], only("alternate_node_type_ids")]


class DockerImage(Body):
    url: Text
    basic_auth: Annotated[dict[str, str], only("username password")] | None = None


class Autoscale(Body):
    min_workers: Count
    max_workers: Count


class Cluster(Body):
    """Fields as in the platform's ClusterSpec, which the clients' service modules list."""

    spark_version: Text
    apply_policy_default_values: bool | None = None
    autoscale: Autoscale | None = None
    aws_attributes: (
        Annotated[
            dict[str, Scalar],
            only(
                "availability ebs_volume_count ebs_volume_iops ebs_volume_size ebs_volume_throughput ebs_volume_type"
                " first_on_demand instance_profile_arn spot_bid_price_percent zone_id"
            ),
        ]
        | None
    ) = None
    azure_attributes: Annotated[dict[str, Scalar], only("availability first_on_demand spot_bid_max_price")] | None = (
        None
    )
    cluster_log_conf: Annotated[Storage, only("dbfs s3 volumes")] | None = None
    cluster_name: str | None = None
    custom_tags: dict[str, str] | None = None
    data_security_mode: (
        Annotated[
            str,
            only(
                "DATA_SECURITY_MODE_AUTO DATA_SECURITY_MODE_DEDICATED DATA_SECURITY_MODE_STANDARD LEGACY_PASSTHROUGH"
                " LEGACY_SINGLE_USER LEGACY_SINGLE_USER_STANDARD LEGACY_TABLE_ACL NONE SINGLE_USER USER_ISOLATION"
            ),
        ]
        | None
    ) = None
    docker_image: DockerImage | None = None
    driver_instance_pool_id: str | None = None
    driver_node_type_flexibility: NodeTypeFlexibility | None = None
    driver_node_type_id: str | None = None
    enable_elastic_disk: bool | None = None
    enable_local_disk_encryption: bool | None = None
    gcp_attributes: (
        Annotated[
            dict[str, Scalar],
            only(
                "availability boot_disk_size first_on_demand google_service_account local_ssd_count"
                " use_preemptible_executors zone_id"
            ),
        ]
        | None
    ) = None
    init_scripts: list[Annotated[Storage, only("abfss dbfs file gcs s3 volumes workspace")]] | None = None
    instance_pool_id: str | None = None
    is_single_node: bool | None = None
    kind: Annotated[str, only("CLASSIC_PREVIEW")] | None = None
    node_type_id: str | None = None
    num_workers: Count | None = None
    policy_id: str | None = None
    runtime_engine: Annotated[str, only("NULL PHOTON STANDARD")] | None = None
    single_user_name: str | None = None
    spark_conf: dict[str, str] | None = None
    spark_env_vars: dict[str, str] | None = None
    ssh_public_keys: Annotated[list[str], Field(max_length=10)] | None = None
    use_ml_runtime: bool | None = None
    worker_node_type_flexibility: NodeTypeFlexibility | None = None

    def pool_ids(self) -> list[str]:
        """The pools that its machines come from."""
        return [pool_id for pool_id in (self.instance_pool_id, self.driver_instance_pool_id) if pool_id]

    def check(self) -> None:
        """Refuse fields that contradict each other. Raises ApiError."""
        if self.instance_pool_id:
            for name in ("node_type_id", "driver_node_type_id"):
                if getattr(self, name):
                    # Recorded in terraform-provider-databricks#2141.
                    raise invalid(f"The field '{name}' cannot be supplied when an instance pool ID is provided.")
        elif self.driver_instance_pool_id:
            raise invalid("driver_instance_pool_id requires instance_pool_id.")
        elif not self.node_type_id and not self.policy_id:
            raise invalid("Cluster validation error: Missing required field: node_type_id")
        # The Clusters API's documentation of both fields.
        if self.kind is None and (self.is_single_node is not None or self.use_ml_runtime is not None):
            raise invalid("is_single_node and use_ml_runtime can only be used with kind.")
        if self.num_workers is not None and self.autoscale:
            raise invalid("Cluster size is given either by num_workers or by autoscale, not by both.")
        if self.num_workers is None and not self.autoscale and not self.is_single_node:
            raise invalid("Missing required field: settings.cluster_spec.new_cluster.size")
        if self.is_single_node and (self.num_workers or self.autoscale):
            raise invalid("A single node cluster has no workers.")
        if self.autoscale and self.autoscale.min_workers > self.autoscale.max_workers:
            raise invalid("autoscale.min_workers cannot be greater than autoscale.max_workers.")
