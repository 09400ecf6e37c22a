"""The arguments of the identity that jobs run as, from the stack's settings and from what it reads. Deploys nothing."""

from components.run_as import RunAsArgs
from components.secret_scope import SecretScope
from components.settings import Settings
from components.workspace_files import WorkspaceFiles


def run_as_args(settings: Settings, scope: SecretScope, files: WorkspaceFiles) -> RunAsArgs:
    """Whose access, and to what; each existing pool once, however many orchestrators use it."""
    orchestrators = settings.orchestrators.values()
    pools = {pool for each in orchestrators for pool in (each.pool, each.registration_pool) if pool is not None}
    return RunAsArgs(
        service_principal=settings.run_as.service_principal if settings.run_as else None,
        account_id=settings.workspace.account_id or "",
        scope=scope.scope_name,
        existing_scope=settings.secret_scope.existing,
        folder=files.folder,
        existing_pools=pools,
    )
