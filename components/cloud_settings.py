"""The settings that are particular to one cloud: how a pool's instances are bought, and the identity of its clusters.

Bounds of disks come from the provider's documentation (instance_pool.md, disk_spec).
"""

from typing import Annotated, Literal

from pydantic import Field

from components.settings_model import MOST, SettingsModel


class AwsDisks(SettingsModel):
    """EBS volumes added to each instance of the pool."""

    type: Literal["GENERAL_PURPOSE_SSD", "THROUGHPUT_OPTIMIZED_HDD"] = Field(description="The kind of EBS volume.")
    count: int = Field(ge=1, le=MOST, description="Volumes an instance.", examples=[1])
    size_gb: int = Field(ge=100, le=4096, description="Size of each volume in GiB.", examples=[100])


class AzureDisks(SettingsModel):
    """Managed disks added to each instance of the pool."""

    type: Literal["PREMIUM_LRS", "STANDARD_LRS"] = Field(description="The kind of managed disk.")
    count: int = Field(ge=1, le=MOST, description="Disks an instance.", examples=[1])
    size_gb: int = Field(ge=1, le=1023, description="Size of each disk in GiB.", examples=[100])


class GcpDisks(SettingsModel):
    """Local SSDs of each instance of the pool, 375 GB each."""

    count: int = Field(ge=0, le=MOST, description="Local SSDs an instance.", examples=[1])


class AwsSettings(SettingsModel):
    """How the pool's instances are bought on AWS, and the instance profile that its clusters run with."""

    provider: Literal["aws"]
    availability: Literal["ON_DEMAND", "SPOT"] = Field(
        default="ON_DEMAND", description="Whether instances are bought on demand or on the spot market."
    )
    zone: str | None = Field(default=None, description="Availability zone of the instances.", examples=["us-west-2a"])
    disks: AwsDisks | None = Field(default=None, description="Volumes added to each instance.")
    instance_profile_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[\w-]*:iam::\d{12}:instance-profile/.+$",
        description="Instance profile that gives clusters their identity in cloud storage; to take it away, keep "
        "`provider`.",
        examples=["arn:aws:iam::123456789012:instance-profile/fiftyone-workers"],
    )


class AzureSettings(SettingsModel):
    """How the pool's instances are bought on Azure."""

    provider: Literal["azure"]
    availability: Literal["ON_DEMAND_AZURE", "SPOT_AZURE"] = Field(
        default="ON_DEMAND_AZURE", description="Whether instances are bought on demand or on the spot market."
    )
    disks: AzureDisks | None = Field(default=None, description="Disks added to each instance.")


class GcpSettings(SettingsModel):
    """How the pool's instances are bought on Google Cloud, and the service account that its clusters run with."""

    provider: Literal["gcp"]
    availability: Literal["ON_DEMAND_GCP", "PREEMPTIBLE_GCP", "PREEMPTIBLE_WITH_FALLBACK_GCP"] = Field(
        default="ON_DEMAND_GCP", description="Whether instances are bought on demand or may be preempted."
    )
    zone: str | None = Field(default=None, description="Zone of the instances.", examples=["us-central1-a"])
    disks: GcpDisks | None = Field(default=None, description="Local SSDs of each instance.")
    google_service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+\.iam\.gserviceaccount\.com$",
        description="Service account that gives clusters their identity in cloud storage; to take it away, keep "
        "`provider`.",
        examples=["fiftyone-workers@example-project.iam.gserviceaccount.com"],
    )


CloudSettings = Annotated[AwsSettings | AzureSettings | GcpSettings, Field(discriminator="provider")]
