"""What the requirements of each orchestrator do to the images that its clusters run.

Owns which cluster runs which image, and the way from requirements to results; the rules are in judgement.py. Clusters
with the same image and the same requirements are judged once.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Final

from components.job_files import ENTRYPOINT, JOB_FOLDER, job_files, requirements_name
from components.orchestrator_settings import OrchestratorSettings
from components.settings import Settings
from preflight import judgement
from preflight.fiftyone_index import Pin, check_index
from preflight.judgement import violations
from preflight.mending import mends
from preflight.resolver import NoAnswerError, NoSolutionError, RefusedError, Resolver
from preflight.result import Result, likely, not_checked, right, wrong
from preflight.runtime import VARIANTS, Image, image, runtime_of

ENTRYPOINT_SOURCE: Final = (JOB_FOLDER / ENTRYPOINT).read_text()


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


@dataclass(frozen=True, kw_only=True)
class Group:
    """Clusters that run the same image with the same requirements, which are judged once."""

    name: str
    instance_id: str
    text: str
    image: Image


def check_dependencies(
    settings: Settings, resolver: Resolver, gpus: Mapping[str, int], unread: str = ""
) -> Iterator[Result]:
    """Everything there is to say of the stack's requirements; `unread` as for `check_index`."""
    for instance_id, orchestrator in settings.orchestrators.items():
        if orchestrator.container_image:
            why = f"it runs the container image {orchestrator.container_image}, whose packages are not known here"
            yield not_checked(f"{instance_id} execution", why)
    groups: list[Group] = []
    for group in _groups(settings, gpus):
        if isinstance(group, Result):
            yield group
        else:
            groups.append(group)
    if not groups:
        return
    version = settings.fiftyone.version
    pin, result = check_index(version, resolver, groups[0].image, unread)
    yield result
    if pin is None:
        for group in groups:
            yield not_checked(group.name, "the public package index could not be reached from here")
        return
    ours = f"fiftyone=={version}\n"
    pinned = [replace(group, text=group.text.replace(ours, f"fiftyone=={pin.version}\n")) for group in groups]
    with ThreadPoolExecutor() as threads:  # uv mostly waits for the index
        for results in threads.map(_judged, pinned, repeat(pin)):
            yield from results


def _groups(settings: Settings, gpus: Mapping[str, int]) -> Iterator[Group | Result]:
    """What there is to judge, and what cannot be."""
    files = job_files(settings)
    alike: dict[tuple[str, str, str], list[Cluster]] = {}
    for cluster in clusters(settings, gpus):
        text = files[requirements_name(cluster.instance_id)]
        alike.setdefault((cluster.runtime, cluster.variant, text), []).append(cluster)
    for (runtime, variant, text), group in alike.items():
        name = f"{', '.join(cluster.label for cluster in group)} ({VARIANTS[variant]})"
        found = image(runtime, variant)
        if found is None:
            yield not_checked(
                name, f"there is no preflight/runtimes/{runtime}.csv; docs/preflight.md says how to add it"
            )
        else:
            yield Group(name=name, instance_id=group[0].instance_id, text=text, image=found)


def _judged(group: Group, pin: Pin) -> list[Result]:
    name, found, note = group.name, group.image, f" ({pin.note})" if pin.note else ""
    try:
        changes = pin.resolver.changes(group.text, found)
    except (NoAnswerError, RefusedError) as error:
        return [not_checked(name, str(error))]
    except NoSolutionError as error:
        what = f"cannot be resolved on {found.title}{note}: {error} A run ends with {judgement.UNRESOLVED_SHOWS_AS}"
        mend = f"change what the reason names in `orchestrators.{group.instance_id}.requirements`"
        return [likely(name, what, mend) if pin.note else wrong(name, what, mend)]
    gone = judgement.replaced(found, changes)
    added, of_image = len(changes) - len(gone), len(found.installed)
    results = [
        right(name, f"resolved on {found.title}{note}: {added} packages added, {len(gone)} of its {of_image} replaced")
    ]
    broken = list(violations(found, changes))
    mend = mends(group.text, found, pin.resolver, broken, f"`orchestrators.{group.instance_id}.requirements`")
    for violation in broken:
        result = likely if pin.note else wrong
        results.append(result(name, judgement.shown(violation), mend[violation.needs]))
    results += (
        right(name, f"{package} {old} of the image is replaced by {new}") for package, (old, new) in gone.items()
    )
    unknown = sorted(found.installed.keys() - found.declared.keys())
    if unknown:
        why = f"the public index has no metadata of {', '.join(unknown)} for it"
        results.append(not_checked(f"{name}: requirements of some packages of the image", why))
    return [
        *results,
        judgement.opencv(name, found, changes),
        judgement.imports(name, ENTRYPOINT_SOURCE, found, changes),
    ]


def _execution_variants(orchestrator: OrchestratorSettings, gpus: Mapping[str, int]) -> list[str]:
    if not orchestrator.ml_runtime:
        return ["standard"]
    known = gpus.get(orchestrator.node_type or orchestrator.pool or "")
    if known is None:
        return ["cpu_ml", "gpu_ml"]
    return ["gpu_ml" if known else "cpu_ml"]
