"""What the program begins with: the stack's settings and its plugins, from what the engine hands over.

A refusal ends the program here, with our message alone, before anything is created.
"""

import os

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from components.plugins import PluginsPlace, plugins_place
from components.registration import missing
from components.settings import Settings
from components.settings_errors import SettingsError
from components.settings_loader import load_settings


def stack_inputs() -> tuple[Settings, PluginsPlace | None]:
    """The settings, whole and checked, and where the plugins go; says what a deployment would lack."""
    try:
        settings = load_settings(
            stack=pulumi.get_stack(),
            config=get_config_env(),
            secret_keys=get_config_secret_keys_env(),
            environ=os.environ,
            previewing=pulumi.runtime.is_dry_run(),
        )
        plugins = plugins_place(settings)
    except SettingsError as error:
        pulumi.log.error(str(error))
        os._exit(32)  # tells the language host that all there is to say has been said
    for problem in missing(settings):
        pulumi.log.info(f"{problem.key} is missing: this can be previewed and not deployed. {problem.mend}")
    return settings, plugins
