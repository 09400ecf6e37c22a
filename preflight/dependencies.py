"""What the requirements of each orchestrator do to the images that its clusters run.

Owns which cluster runs which image, and the way from requirements to results; the rules are in judgement.py. Clusters
with the same image and the same requirements are judged once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.job_files import ENTRYPOINT, job_files, requirements_name
from components.orchestrator_settings import OrchestratorSettings
from components.settings import Settings
from preflight import judgement
from preflight.fiftyone_index import Pin, check_index
from preflight.judgement import Violation, violations
from preflight.resolver import NoAnswerError, NoSolutionError, RefusedError, Resolver
from preflight.result import Result, not_checked, right, wrong
from preflight.runtime import VARIANTS, Image, image, runtime_of

NAME: Final = "dependencies"
# Each round pins what the one before found broken.
ROUNDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A kind of cluster of an orchestrator's job, by what runs on it."""

    instance_id: str
    role: str
    runtime: str
    variant: str

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.instance_id} {self.role}"


def clusters(settings: Settings, gpus: Mapping[str, int]) -> Iterator[Cluster]:
    """The clusters that run a runtime's own image.

    With an ML runtime, Databricks takes the variant for the node type; `gpus` has the number of GPUs by node type, as
    far as that is known, and a cluster on another one may be of either variant.
    """
    for instance_id, orchestrator in settings.orchestrators.items():
        runtime = runtime_of(orchestrator.spark_version)
        variants = [] if orchestrator.container_image else _execution_variants(orchestrator, gpus)
        for variant in variants:
            yield Cluster(instance_id=instance_id, role="execution", runtime=runtime, variant=variant)
        if orchestrator.registration_node_type or orchestrator.registration_pool:
            yield Cluster(instance_id=instance_id, role="registration", runtime=runtime, variant="standard")


def check_dependencies(
    settings: Settings, resolver: Resolver, gpus: Mapping[str, int], unread: str = ""
) -> Iterator[Result]:
    """Everything there is to say of the stack's requirements; `unread` as for `check_index`."""
    for instance_id, orchestrator in settings.orchestrators.items():
        if orchestrator.container_image:
            why = f"it runs the container image {orchestrator.container_image}, whose packages are not known here"
            yield not_checked(f"{NAME} of {instance_id} execution", why)
    files = job_files(settings)
    grouped: dict[tuple[str, str, str], list[Cluster]] = {}
    for cluster in clusters(settings, gpus):
        text = files[requirements_name(cluster.instance_id)]
        grouped.setdefault((cluster.runtime, cluster.variant, text), []).append(cluster)
    pin: Pin | None = None
    asked = False
    for (runtime, variant, text), group in grouped.items():
        name = f"{NAME} of {', '.join(cluster.label for cluster in group)} ({VARIANTS[variant]})"
        found = image(runtime, variant)
        if found is None:
            yield not_checked(name, f"there is no preflight/runtimes/{runtime}.csv; docs/preflight.md says how to add it")
            continue
        if not asked:
            pin, result = check_index(settings.fiftyone.version, resolver, found, unread)
            asked = True
            yield result
        if pin is None:
            yield not_checked(name, "the public package index could not be reached from here")
            continue
        text = text.replace(f"fiftyone=={settings.fiftyone.version}\n", f"fiftyone=={pin.version}\n")
        yield from _judged(name, text, found, pin, files[ENTRYPOINT], group[0].instance_id)


def _judged(name: str, text: str, found: Image, pin: Pin, entrypoint: str, instance_id: str) -> Iterator[Result]:
    note = f" ({pin.note})" if pin.note else ""
    try:
        changes = pin.resolver.changes(text, found)
    except (NoAnswerError, RefusedError) as error:
        yield not_checked(name, str(error))
        return
    except NoSolutionError as error:
        yield wrong(
            name,
            f"cannot be resolved on {found.title}{note}: {error} A run ends with {judgement.UNRESOLVED_SHOWS_AS}",
            f"change what the reason names in `orchestrators.{instance_id}.requirements`",
        )
        return
    gone = judgement.replaced(found, changes)
    yield right(
        name,
        f"resolved on {found.title}{note}: {len(changes) - len(gone)} packages are added, {len(gone)} of the image's "
        f"{len(found.installed)} replaced",
    )
    broken = list(violations(found, changes))
    mend = _mend(text, found, pin.resolver, broken, instance_id) if broken else ""
    for violation in broken:
        yield judgement.of_violation(name, violation, mend)
    for package, (before, after) in gone.items():
        yield right(name, f"{package} {before} of the image is replaced by {after}")
    unknown = len(found.installed) - len(found.declared)
    if unknown:
        why = "there is no metadata of them on the public index"
        yield not_checked(name, f"{why}: what {unknown} packages of the image require")
    yield judgement.opencv(name, found, changes)
    yield judgement.imports(name, entrypoint, found, changes)


def _mend(text: str, found: Image, resolver: Resolver, broken: Sequence[Violation], instance_id: str) -> str:
    """Which requirements to add, tried: the image's own on what would be replaced, until none is broken."""
    key = f"`orchestrators.{instance_id}.requirements`"
    wanted = {canonicalize_name(Requirement(line).name): Requirement(line) for line in text.splitlines()}
    added: dict[str, Requirement] = {}
    for _ in range(ROUNDS):
        for violation in broken:
            requirement = added.setdefault(violation.needs, wanted.get(violation.needs) or Requirement(violation.needs))
            requirement.specifier &= Requirement(f"x{violation.specifier}").specifier
        try:
            changes = resolver.changes("\n".join([text, *map(str, added.values())]), found)
        except NoSolutionError as error:
            return f"none fits both: with {_shown(added)} in {key}, {error}"
        except (NoAnswerError, RefusedError):
            break
        broken = list(violations(found, changes))
        if not broken:
            return f"add {_shown(added)} to {key}; with it nothing of the image is broken"
    return f"start from {_shown(added)} in {key}"


def _shown(requirements: Mapping[str, Requirement]) -> str:
    return ", ".join(f"`{requirement}`" for requirement in requirements.values())


def _execution_variants(orchestrator: OrchestratorSettings, gpus: Mapping[str, int]) -> list[str]:
    if not orchestrator.ml_runtime:
        return ["standard"]
    known = gpus.get(orchestrator.node_type or orchestrator.pool or "")
    if known is None:
        return ["cpu_ml", "gpu_ml"]
    return ["gpu_ml" if known else "cpu_ml"]
