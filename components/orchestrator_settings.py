"""The settings of one orchestrator: an entry of the stack's `orchestrators` map, and nothing of the stack around it.

Field descriptions say what a setting is for; the loader shows them as the reason when a value is refused, and the
JSON schema shows them in editors. Numbers that are a default come from the guide, "Create Instance Pool" and
"Create Job", unless a field says otherwise.
"""

import re
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components.cloud_settings import CloudSettings
from components.job_names import STACK_TAG
from components.refusal import RefusalError
from components.requirements_file import check_requirements
from components.settings_model import MOST, SettingsModel

# What the program sets in the environment of runs or keeps in the stack's scope (components/run_environment.py); the
# entrypoint's own begin with ENTRYPOINT_.
PROGRAM_ENVIRONMENT = frozenset(
    {
        "API_URL",
        "CONTAINER_REGISTRY_PASSWORD",
        "CONTAINER_REGISTRY_USERNAME",
        "FIFTYONE_DATABASE_NAME",
        "FIFTYONE_DATABASE_URI",
        "FIFTYONE_ENCRYPTION_KEY",
        "FIFTYONE_INTERNAL_SERVICE",
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS",
        "FIFTYONE_PLUGINS_CACHE_ENABLED",
        "FIFTYONE_PLUGINS_DIR",
        "FIFTYONE_PYPI_URL",
        "PIP_EXTRA_INDEX_URL",
    }
)
# Databricks' default tags of pools and clusters (its "Use tags to attribute and track usage").
PLATFORM_TAGS = frozenset(
    {"", "ClusterId", "ClusterName", "Creator", "DatabricksInstancePoolCreatorId", "DatabricksInstancePoolId"}
    | {"JobId", "Name", "RunName", "Vendor"}
)

VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
NODE_TYPE = r"^[\w.-]+$"
SECRET_REFERENCE = re.compile(r"\{\{secrets/[\w.@-]+/[\w.-]+\}\}")
POOL_ID = r"^[A-Za-z0-9_-]+$"

VariableName = Annotated[str, Field(pattern=VARIABLE_NAME)]


class OrchestratorSettings(SettingsModel):
    """One orchestrator: its instance pools, its job and what a run of that job finds in its environment."""

    description: str = Field(
        default="",
        description="What people read about the orchestrator in FiftyOne.",
        examples=["Embeddings on GPUs"],
    )
    node_type: str | None = Field(
        default=None,
        pattern=NODE_TYPE,
        description="Node type of the execution pool that the program makes; or name an existing one as `pool`.",
        examples=["c3-standard-4-lssd"],
    )
    pool: str | None = Field(
        default=None,
        pattern=POOL_ID,
        description="Id of an existing instance pool to execute on, used as it is.",
        examples=["1123-075537-gpus"],
    )
    registration_node_type: str | None = Field(
        default=None,
        pattern=NODE_TYPE,
        description="Node type of a second, cheap pool for registering operators; without one, they are registered "
        "on the execution cluster.",
        examples=["c3-standard-4-lssd"],
    )
    registration_pool: str | None = Field(
        default=None,
        pattern=POOL_ID,
        description="Id of an existing instance pool to register operators on.",
        examples=["1123-075537-cpus"],
    )
    spark_version: str = Field(
        default="16.4.x-scala2.13",
        pattern=r"^\d+\.\d+\.x(-aarch64)?-scala\d+\.\d+$",
        description="Databricks runtime that clusters run and pools preload; `mlRuntime` picks its variant.",
        examples=["16.4.x-scala2.13"],
    )
    ml_runtime: bool = Field(default=True, description="Whether the execution cluster runs the runtime's ML variant.")
    workers: int = Field(
        default=1,
        ge=0,
        le=MOST,
        description="Worker nodes of the execution cluster beside its driver; 0 is a single node.",
    )
    min_idle_instances: int = Field(
        default=0,
        ge=0,
        le=MOST,
        description="Instances that the execution pool keeps running, and paid for, while idle.",
    )
    max_capacity: int = Field(default=20, ge=1, le=MOST, description="Most instances that the execution pool may hold.")
    registration_max_capacity: int = Field(
        default=2, ge=1, le=MOST, description="Most instances that the registration pool may hold: one run takes two."
    )
    idle_minutes: int = Field(
        default=15, ge=0, le=10000, description="Minutes after which the pools let an idle instance go."
    )
    max_concurrent_runs: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Most runs of the job at a time; `fiftyone:delegatedOperationCapacity` unless said otherwise.",
        examples=[5],
    )
    process_pool_workers: int = Field(
        default=4,
        ge=0,
        le=MOST,
        description="Processes a run may start at once (FIFTYONE_MAX_PROCESS_POOL_WORKERS). With MongoDB Atlas more "
        "than 4 lose their connections; 0 turns multiprocessing off (guide, Additional Considerations).",
    )
    timeout_minutes: int | None = Field(
        default=None,
        ge=1,
        le=MOST // 60,
        description="Minutes after which Databricks ends a run; without it, runs are not ended.",
        examples=[720],
    )
    registration_command: str | None = Field(
        default=None,
        min_length=1,
        description="Command of FiftyOne's that makes a run report its operators; found in the job's run history "
        "unless set here.",
    )
    registration_timeout_minutes: float = Field(
        default=45.0,
        gt=0,
        le=1440,
        description="Minutes after which a run that reports operators, or one of `make verify`, is given up and "
        "cancelled.",
    )
    requirements: list[str] = Field(
        default_factory=list[str],
        description="Python requirements beside FiftyOne and the guide's; one of the same name replaces a default.",
        examples=[["torch==2.6.0"]],
    )
    env: dict[VariableName, str] = Field(
        default_factory=dict[str, str],
        description="Environment variables of the clusters beside the program's own.",
        examples=[{"FIFTYONE_LOGGING_LEVEL": "INFO"}],
    )
    allowed_commands: list[Annotated[str, Field(pattern=r"^[\w./+-]+$")]] = Field(
        default_factory=lambda: ["fiftyone"],
        min_length=1,
        description="Programs that a run may start; FiftyOne itself sends nothing but `fiftyone` commands.",
        examples=[["fiftyone"]],
    )
    container_image: str | None = Field(
        default=None,
        pattern=r"^[\w.-]+(:\d+)?(/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]{64})?$",
        description="Container image of the execution cluster, in place of the runtime's own.",
        examples=["registry.example.com/fiftyone/worker:2.13.1"],
    )
    cloud: CloudSettings | None = Field(default=None, description="What is particular to one cloud.")
    tags: dict[str, str] = Field(
        default_factory=dict[str, str],
        max_length=43,
        description="Tags of the pools, which pass them on to their instances; Databricks takes 43 at most.",
        examples=[{"team": "vision"}],
    )

    @field_validator("requirements")
    @classmethod
    def _requirements(cls, lines: list[str]) -> list[str]:
        check_requirements(lines)
        return lines

    @field_validator("env")
    @classmethod
    def _env(cls, env: dict[str, str]) -> dict[str, str]:
        for name, value in env.items():
            check_variable(name, value)
        return env

    @field_validator("tags")
    @classmethod
    def _tags(cls, tags: dict[str, str]) -> dict[str, str]:
        for name in tags:
            if name in PLATFORM_TAGS or name == STACK_TAG:
                raise RefusalError(
                    f"must not hold the tag `{name}`, which is the job's or the platform's", mend="drop it"
                )
        return tags

    @model_validator(mode="after")
    def _together(self) -> Self:
        _check_pools(self)
        if self.container_image is not None and self.ml_runtime:
            raise RefusalError(
                "sets `containerImage` with the ML runtime, which does not support container images",
                mend="set `mlRuntime: false`",
            )
        return self


def check_variable(name: str, value: str = "") -> None:
    """Refuse an environment variable that the program sets itself or that a cluster's shell file cannot carry.

    Raises:
        RefusalError: names the variable and never shows its value.
    """
    if name in PROGRAM_ENVIRONMENT or name.startswith("ENTRYPOINT_"):
        raise RefusalError(f"must not set `{name}`, which the program sets from its own settings", mend="drop it")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise RefusalError(
            f"holds `{name}` with a control character, such as a line break, at which the shell file that clusters "
            "read would be cut",
            mend="encode the value, for instance as base64",
        )
    if re.search(r"\{\{\s*secrets/", value) and not SECRET_REFERENCE.fullmatch(value):
        raise RefusalError(
            f"holds `{name}` with a secret reference inside other text, which Databricks would not resolve",
            mend="make the reference the whole value",
        )


def _check_pools(settings: OrchestratorSettings) -> None:
    given = {to_camel(name) for name in settings.model_fields_set if getattr(settings, name) is not None}
    for made, existing in (("nodeType", "pool"), ("registrationNodeType", "registrationPool")):
        if {made, existing} <= given:
            raise RefusalError(
                f"sets both `{made}` and `{existing}`", mend="keep one, a pool that is made or one that exists"
            )
    if not given & {"nodeType", "pool"}:
        raise RefusalError("sets neither `nodeType` nor `pool`, so nothing could run", mend="set one of them")
    for setting, needed in (
        ("minIdleInstances", ("nodeType",)),
        ("maxCapacity", ("nodeType",)),
        ("registrationMaxCapacity", ("registrationNodeType",)),
        ("idleMinutes", ("nodeType", "registrationNodeType")),
        ("tags", ("nodeType", "registrationNodeType")),
    ):
        if setting in given and not given.intersection(needed):
            raise RefusalError(
                f"sets `{setting}`, which only a pool that the program makes can have",
                mend=f"drop it, or set `{'` or `'.join(needed)}`",
            )
    if settings.min_idle_instances > settings.max_capacity:
        raise RefusalError(
            f"sets `minIdleInstances` {settings.min_idle_instances} above `maxCapacity` {settings.max_capacity}, "
            "which no pool can hold",
            mend="raise the one or lower the other",
        )
