"""Which files a stack's jobs run from, what they say, and the paths by which jobs find them; deploys nothing."""

from pathlib import Path

from components.requirements_file import requirements_text
from components.settings import Settings

ENTRYPOINT = "entrypoint.py"
JOB_FOLDER = Path(__file__).parent.parent / "job"


def job_files(settings: Settings) -> dict[str, str]:
    """Names and texts of the files: the entrypoint, which all jobs share, and each orchestrator's requirements."""
    requirements = {
        requirements_name(instance_id): requirements_text(
            version=settings.fiftyone.version, extra=[*_implied(settings), *orchestrator.requirements]
        )
        for instance_id, orchestrator in settings.orchestrators.items()
    }
    return {ENTRYPOINT: (JOB_FOLDER / ENTRYPOINT).read_text(), **requirements}


def job_file_names(instance_id: str) -> list[str]:
    """The files that one orchestrator's job runs from."""
    return [ENTRYPOINT, requirements_name(instance_id)]


def entrypoint_path(settings: Settings) -> str:
    """Where jobs find the entrypoint."""
    return f"{settings.workspace_dir}/{ENTRYPOINT}"


def requirements_path(settings: Settings, instance_id: str) -> str:
    """Where an orchestrator's job finds its requirements."""
    return f"{settings.workspace_dir}/{requirements_name(instance_id)}"


def _implied(settings: Settings) -> list[str]:
    """What the entrypoint needs to fetch plugins: of runtime 16.4, only the ML variant has azure-identity."""
    url = settings.plugins.url if settings.plugins else None
    return ["azure-identity"] if url and url.startswith("abfss://") else []


def requirements_name(instance_id: str) -> str:
    """The file of an orchestrator's requirements."""
    return f"{instance_id}-requirements.txt"
