"""Good settings get the contract's defaults; each bad one stops with one message that names it and shows no secret."""

import json
from typing import Any

import pulumi_databricks.config.vars as provider_config
import pytest
from pydantic.alias_generators import to_camel

from components.settings_errors import SettingsError
from components.settings_loader import WORKER_SECRETS
from components.workspace_credentials import PROVIDER_KEYS
from tests.unit.settings_cases import ENVIRON, configuration, settings


def gpu(**entries: Any) -> dict[str, str]:
    return configuration(orchestrators={"gpu": {"nodeType": "g2-standard-8", **entries}})


def refused(config: dict[str, str], **sources: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(config, **sources)
    return str(caught.value)


def test_defaults_are_the_contracts() -> None:
    found = settings()
    orchestrator = found.orchestrators["gpu"]
    assert (found.secret_scope.name, found.secret_scope.existing) == ("fiftyone-dev", False)
    assert found.workspace_dir == "/Workspace/Shared/fiftyone-dev"
    assert not found.protect
    assert found.fiftyone.database_name == "fiftyone"
    assert found.fiftyone.mongodb_atlas
    assert found.fiftyone.delegated_operation_capacity == 3
    assert (orchestrator.spark_version, orchestrator.ml_runtime) == ("16.4.x-scala2.13", True)
    assert (orchestrator.workers, orchestrator.min_idle_instances, orchestrator.max_capacity) == (1, 0, 20)
    assert (orchestrator.registration_max_capacity, orchestrator.idle_minutes) == (2, 15)
    assert (orchestrator.process_pool_workers, orchestrator.max_concurrent_runs) == (4, None)


def test_production_is_protected_unless_told_otherwise() -> None:
    from components.settings_loader import load_settings

    def protect(**changes: str) -> bool:
        config = configuration(**changes)
        return load_settings(stack="prod", config=config, secret_keys=(), environ=ENVIRON).protect

    assert protect()
    assert not protect(protect="false")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (configuration(fiftyone__verson="1"), "fiftyone:verson is not a setting|did you mean `fiftyone:version`?"),
        (configuration(orchestrator="{}"), "orchestrator is not a setting|did you mean `orchestrators`?"),
        (configuration(aws__region="eu-west-1"), "aws:region is not a setting"),
        (configuration(databricks__hots="x"), "databricks:hots is not a setting|did you mean `databricks:host`?"),
        (gpu(nodeTyp="x"), "orchestrators.gpu.nodeTyp is not a setting|did you mean `nodeType`?"),
        (gpu(cloud={"provider": "gcp", "zones": "a"}), "orchestrators.gpu.cloud.zones is not|did you mean `zone`?"),
        (gpu(cloud={"availability": "SPOT"}), "orchestrators.gpu.cloud must name its cloud as `provider: aws`"),
        (gpu(cloud={"provider": "aws", "disks": {"type": "GENERAL_PURPOSE_SSD", "count": 1}}), "sizeGb is required"),
        (gpu(workers="two"), "orchestrators.gpu.workers must be a whole number, but is 'two'"),
        (gpu(workers=1.5), "orchestrators.gpu.workers must be a whole number, but is 1.5"),
        (gpu(workers=True), "orchestrators.gpu.workers must be a whole number"),
        (gpu(mlRuntime="yes"), "orchestrators.gpu.mlRuntime must be true or false"),
        (gpu(nodeType=5), "orchestrators.gpu.nodeType must be text"),
        (gpu(requirements="torch"), "orchestrators.gpu.requirements must be a list"),
        (gpu(env={"LEVEL": 3}), "orchestrators.gpu.env.LEVEL must be text"),
        (gpu(tags=["a"]), "orchestrators.gpu.tags must be a map"),
        (configuration(protect="maybe"), "protect must be true or false"),
        (configuration(fiftyone__delegatedOperationCapacity="many"), "fiftyone:delegatedOperationCapacity must be"),
        (configuration(orchestrators="[1"), "orchestrators must be a map"),
        (configuration(orchestrators={}), "orchestrators must have at least 1"),
        (gpu(workers=-1), "orchestrators.gpu.workers must be at least 0, but is -1"),
        (gpu(minIdleInstances=-1), "orchestrators.gpu.minIdleInstances must be at least 0"),
        (gpu(maxCapacity=0), "orchestrators.gpu.maxCapacity must be at least 1"),
        (gpu(idleMinutes=10001), "orchestrators.gpu.idleMinutes must be at most 10000"),
        (gpu(minIdleInstances=21), "`minIdleInstances` 21 above `maxCapacity` 20"),
        (gpu(pool="pool-1"), "orchestrators.gpu sets both `nodeType` and `pool`|keep one"),
        (gpu(registrationNodeType="a", registrationPool="b"), "both `registrationNodeType` and `registrationPool`"),
        (configuration(orchestrators={"gpu": {}}), "sets neither `nodeType` nor `pool`"),
        (configuration(orchestrators={"gpu": {"pool": "p", "maxCapacity": 3}}), "sets `maxCapacity`, which only"),
        (gpu(registrationMaxCapacity=3), "sets `registrationMaxCapacity`, which only a pool that the program makes"),
        (configuration(orchestrators={"GPU 1": {"nodeType": "x"}}), "orchestrators holds the name `GPU 1`, which Fif"),
        (configuration(orchestrators={"g" * 41: {"nodeType": "x"}}), "is longer than 40 characters"),
        (configuration(orchestrators={n: {"nodeType": "x"} for n in ("a-b", "a_b")}), "both become A_B|rename one"),
        (gpu(env={"API_URL": "x"}), "orchestrators.gpu.env must not set `API_URL`, which the program sets"),
        (gpu(env={"FIFTYONE_PLUGINS_DIR": "x"}), "must not set `FIFTYONE_PLUGINS_DIR`"),
        (gpu(env={"A-B": "x"}), "orchestrators.gpu.env holds the name `A-B`, which no shell could take"),
        (gpu(env={"A": "one\ntwo"}), "holds `A` with a control character"),
        (gpu(env={"A": "x{{secrets/a/b}}"}), "a secret reference inside other text"),
        (gpu(tags={"pulumi-stack": "x"}), "must not hold the tag `pulumi-stack`"),
        (gpu(requirements=["torch = 2"]), "`torch = 2` that is not a requirement"),
        (gpu(requirements=["-r other.txt"]), "`-r other.txt` that is not a requirement"),
        (gpu(requirements=["torch==2.6.0", "Torch"]), "names `torch` twice"),
        (gpu(requirements=["fiftyone==2.12.0"]), "orchestrators.gpu.requirements asks for `fiftyone==2.12.0`"),
        (gpu(requirements=["fiftyone"]), "asks for `fiftyone` while the deployment runs fiftyone 2.13.1"),
        (gpu(requirements=["opencv-python==4.13.0.90"]), "opencv from 4.13.0.90 on aborts"),
        (gpu(requirements=["opencv-python-headless>=5"]), "opencv from 4.13.0.90 on aborts"),
        (gpu(requirements=["fiftyone==2.13.1; python_version<'3'"]), "asks for `fiftyone` by address or under a cond"),
        (gpu(requirements=["opencv-python @ https://example.com/a.whl"]), "asks for `opencv-python` by address"),
        (gpu(requirements=["--index-url https://hidden.example.com"]), "holds a line that is not a requirement"),
        (gpu(requirements=["torch @ https://example.com/a.whl?token=hidden"]), "an address with a user, password or"),
        (gpu(sparkVersion="16.4.x-gpu-ml-scala2.12"), "orchestrators.gpu.sparkVersion does not have the form"),
        (gpu(nodeType="a b"), "orchestrators.gpu.nodeType does not have the form"),
        (gpu(mlRuntime=False, containerImage="user:hidden@registry.example.com/a:1"), "containerImage does not have"),
        (gpu(env={"A": "{{ secrets/a/b }}"}), "a secret reference inside other text"),
        (gpu(tags={"Vendor": "x"}), "must not hold the tag `Vendor`"),
        (configuration(orchestrators={"aws": {"nodeType": "x", "workers": -1}}), "orchestrators.aws.workers must be"),
        (configuration(orchestrators={"env": {"nodeType": "x", "worker": 1}}), "orchestrators.env.worker is not a set"),
        (configuration(orchestrators={"[key]": {"nodeType": "x"}}), "orchestrators holds the name `[key]`"),
        (configuration(fiftyone__version="2.13.1\n"), "is '2.13.1\\n', but a release of FiftyOne has three plain"),
        (configuration(fiftyone__version="v2.13.1"), "is 'v2.13.1', but a release of FiftyOne has three plain"),
        (configuration(fiftyone__apiUri="https://user:hidden@example.com"), "fiftyone:apiUri does not have the form"),
        (configuration(orchestrators="[" * 100000), "orchestrators must be a map"),
        (configuration(orchestrators='{"gpu": {"env": {"TOKEN": "hidden"}}'), "- orchestrators must be a map\n"),
        (gpu(requirements="a @ https://user:hidden@example.com/a"), "gpu.requirements must be a list\n"),
        (
            configuration(fiftyone__delegatedOperationCapacity=5000 * "1"),
            "fiftyone:delegatedOperationCapacity must be a",
        ),
        (gpu(workers=2**31), "orchestrators.gpu.workers must be at most 2147483647, but is 2147483648"),
        (configuration(workspaceDir="/Workspace/Shared/a\nb"), "no plain path of a workspace folder"),
        (gpu(processPoolWorkers=5), "orchestrators.gpu.processPoolWorkers is 5, but MongoDB Atlas"),
        (gpu(containerImage="registry.example.com/a/b:1"), "with the ML runtime|set `mlRuntime: false`"),
        (gpu(sparkVersion="16.4"), "orchestrators.gpu.sparkVersion does not have the form"),
        (gpu(allowedCommands=[]), "orchestrators.gpu.allowedCommands must have at least 1"),
        (gpu(env={"ENTRYPOINT_COMMANDS": "sh"}), "must not set `ENTRYPOINT_COMMANDS`"),
        (configuration(plugins="{}"), "plugins needs one place, and only one|set one of `source`, `path` and `url`"),
        (configuration(plugins='{"source": "a", "path": "/b"}'), "plugins needs one place, and only one"),
        (configuration(plugins='{"path": "/b", "volume": "/Volumes/a/b/c"}'), "sets `volume` without `source`"),
        (configuration(plugins='{"path": "/b", "sha256": "' + 64 * "0" + '"}'), "sets `sha256` without `url`"),
        (configuration(plugins='{"url": "https://example.com/a.tar"}'), "plugins.url does not have the form"),
        (configuration(plugins='{"url": "gs://a/b", "sha256": "abc"}'), "plugins.sha256 does not have the form"),
        (configuration(plugins='{"path": "plugins"}'), "plugins.path does not have the form"),
        (configuration(plugins='{"source": "a", "volume": "/Volumes/a"}'), "plugins.volume does not have the form"),
        (configuration(fiftyone__version="2.1"), "fiftyone:version is '2.1', but a release of FiftyOne has three"),
        (configuration(fiftyone__version="newest"), "fiftyone:version is `newest`, which is not a version"),
        (configuration(fiftyone__version="2.10.0"), "fiftyone:version is 2.10.0, but FiftyOne runs"),
        (configuration(fiftyone__apiUri="fiftyone.example.com"), "fiftyone:apiUri does not have the form"),
        (configuration(workspaceDir="/Workspace/Shared"), "destroying the stack deletes its folder"),
        (configuration(workspaceDir="/Workspace/Shared/../x"), "no plain path of a workspace folder"),
        (configuration(secretScope='{"name": "a b"}'), "secretScope.name does not have the form"),
        (configuration(secretScope='{"name": "a", "exists": true}'), "secretScope.exists is not a setting"),
        (configuration(fiftyone__databaseUri="mongodb://hidden-value"), "fiftyone:databaseUri stands in the clear"),
        (configuration(databricks__token="hidden-value"), "databricks:token stands in the clear"),
        (configuration(**{"secretEnv.TOKEN": "hidden-value"}), "secretEnv.TOKEN stands in the clear"),
    ],
)
def test_each_bad_setting_is_refused_by_name_and_no_secret_is_shown(config: dict[str, str], expected: str) -> None:
    message = refused(config)
    for part in expected.split("|"):
        assert part in message
    assert "hidden" not in message
    assert message.startswith("the settings of stack `dev` have one problem; nothing was created or changed.\n- ")


def test_all_that_is_missing_is_said_at_once_with_the_command_that_sets_it() -> None:
    message = refused(configuration(), environ={})
    for key, variable in (
        ("fiftyone:databaseUri", "FIFTYONE_DATABASE_URI"),
        ("fiftyone:encryptionKey", "FIFTYONE_ENCRYPTION_KEY"),
        ("fiftyone:pypiUrl", "FIFTYONE_PYPI_URL"),
    ):
        assert f"- {key} is required and missing" in message
        assert f"`pulumi config set --secret {key} -s dev`, or set {variable} in the environment." in message


def test_a_required_key_that_is_missing_is_named() -> None:
    config = configuration()
    del config["fiftyone:version"]
    assert "- fiftyone:version is required and missing" in refused(config)


def test_secrets_come_from_the_configuration_or_the_environment_and_must_agree() -> None:
    config = configuration(fiftyone__databaseUri="mongodb://hidden-other/")
    secret = frozenset({"fiftyone:databaseUri"})
    rest = {name: value for name, value in ENVIRON.items() if name != "FIFTYONE_DATABASE_URI"}
    found = settings(config, secret_keys=secret, environ=rest).fiftyone.database_uri
    assert found is not None
    assert found.get_secret_value() == "mongodb://hidden-other/"
    message = refused(config, secret_keys=secret)
    assert "fiftyone:databaseUri and FIFTYONE_DATABASE_URI in the environment disagree" in message
    assert "hidden" not in message


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        ({"databricks:token": "hidden"}, {"DATABRICKS_CLIENT_SECRET": "hidden"}, "databricks:token and DATABRICKS_CLI"),
        ({"databricks:clientSecret": "hidden"}, {"DATABRICKS_TOKEN": "hidden"}, "are 2 sources of credentials"),
        ({}, {"DATABRICKS_TOKEN": "hidden", "DATABRICKS_CLIENT_SECRET": "hidden"}, "are 2 sources of credentials"),
        ({}, {"DATABRICKS_TOKEN": "hidden", "ARM_TENANT_ID": "x"}, "DATABRICKS_TOKEN and ARM_TENANT_ID are 2 sources"),
        ({}, {"DATABRICKS_TOKEN": "hidden", "GOOGLE_CREDENTIALS": "hidden"}, "DATABRICKS_TOKEN and GOOGLE_CREDENTIALS"),
        ({"databricks:token": "hidden"}, {"DATABRICKS_TOKEN": "hidden too"}, "DATABRICKS_TOKEN in the environment dis"),
        ({"databricks:host": "https://a"}, {"DATABRICKS_HOST": "https://b"}, "DATABRICKS_HOST in the environment dis"),
    ],
)
def test_two_sources_of_credentials_are_refused(config: dict[str, str], environ: dict[str, str], expected: str) -> None:
    secret = frozenset({"databricks:token", "databricks:clientSecret"})
    message = refused({**configuration(), **config}, environ={**ENVIRON, **environ}, secret_keys=secret)
    assert expected in message
    assert "hidden" not in message


def test_credentials_that_agree_or_are_chosen_between_pass() -> None:
    config = {**configuration(), "databricks:host": "https://a.example.com"}
    settings(config, environ={**ENVIRON, "DATABRICKS_HOST": "a.example.com/"})
    both = {**ENVIRON, "DATABRICKS_TOKEN": "hidden", "DATABRICKS_CLIENT_SECRET": "hidden"}
    settings({**configuration(), "databricks:authType": "pat"}, environ=both)


def test_an_existing_scope_needs_no_secrets_and_takes_none() -> None:
    config = configuration(secretScope=json.dumps({"name": "shared", "existing": True}))
    without = {name: value for name, value in ENVIRON.items() if name not in WORKER_SECRETS.values()}
    assert settings(config, environ=without).fiftyone.database_uri is None
    assert settings(config).fiftyone.database_uri is None
    config["fiftyone-databricks:secretEnv.TOKEN"] = "hidden"
    message = refused(config, secret_keys=frozenset({"fiftyone-databricks:secretEnv.TOKEN"}))
    assert "secretEnv.TOKEN is set, while the secret scope is an existing one" in message
    assert "hidden" not in message


def test_secret_variables_may_not_clash_with_plain_or_program_ones() -> None:
    def with_secret(name: str) -> str:
        key = f"fiftyone-databricks:secretEnv.{name}"
        return refused({**gpu(env={"TOKEN": "x"}), key: "hidden"}, secret_keys=frozenset({key}))

    assert "orchestrators.gpu.env sets `TOKEN`, and so does `secretEnv.TOKEN`" in with_secret("TOKEN")
    assert "must not set `API_URL`" in with_secret("API_URL")
    assert "must not set `FIFTYONE_PYPI_URL`" in with_secret("FIFTYONE_PYPI_URL")


def test_what_would_be_deployed_in_the_clear_must_not_be_encrypted() -> None:
    config = gpu(env={"TOKEN": "hidden"})
    message = refused(config, secret_keys=frozenset({"fiftyone-databricks:orchestrators"}))
    assert "- orchestrators is encrypted here, wholly or in part, and would be deployed in the clear" in message
    assert "`secretEnv.<NAME>`" in message
    assert "hidden" not in message


def test_settings_never_print_their_secrets() -> None:
    assert "hidden" not in repr(settings())


def test_the_providers_own_keys_are_all_known() -> None:
    # The module's class has one property for each key of the provider's configuration.
    names = vars(provider_config._ExportableConfig)  # pyright: ignore[reportPrivateUsage]
    assert {to_camel(name) for name in names if not name.startswith("_")} == PROVIDER_KEYS
