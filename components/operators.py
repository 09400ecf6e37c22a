"""What decides which operators an orchestrator has; a change of it asks for their refresh. Deploys nothing."""

import hashlib

from components.job_files import ENTRYPOINT, job_files, requirements_name
from components.plugins import PluginsPlace
from components.settings import Settings


def operator_triggers(settings: Settings, instance_id: str, plugins: PluginsPlace | None) -> dict[str, str]:
    """Each of them in short, by the name that a plan shows; of plugins that lie elsewhere, no more than where."""
    files = job_files(settings)
    return {
        "entrypoint": _hash(files[ENTRYPOINT]),
        "FiftyOne version": settings.fiftyone.version,
        "plugins": (plugins.sha256 or plugins.location) if plugins else "",
        "requirements": _hash(files[requirements_name(instance_id)]),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
