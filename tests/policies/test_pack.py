"""The pack as a whole: what it makes of rules and of the engine's properties, and what it keeps away from."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from components.fiftyone_settings import FiftyOneSettings
from pack.enforce import LATER, findings, later, policies
from pack.properties import plain
from pack.refusal import PackRefusedError
from pack.stack_settings import stack_settings
from pack.table import table
from rules.catalogue import RULES
from rules.model import Context, Finding, Resource, ResourceRule, StackSettings
from rules.values import UNKNOWN
from tests.policies.cases import NOW, environment, found, job, stack

REPO = Path(__file__).parents[2]
PACK = REPO / "policies"


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_a_stack_that_keeps_all_rules_breaks_none_and_leaves_nothing_to_the_update(rule: str) -> None:
    kinds = {one.name: one.types for one in RULES}
    looked_at = [resource for resource in stack() if resource.type in kinds[rule]]
    assert looked_at
    assert found(rule, *stack() if not isinstance(_rule(rule), ResourceRule) else looked_at) == []


def test_every_rule_is_mandatory_unless_it_warns_and_has_a_name_of_its_own() -> None:
    made = policies(RULES, Context())
    levels = {policy.name: policy.enforcement_level for policy in made}
    assert len(levels) == len(made) == len(RULES) + 1
    assert levels.pop(LATER) == EnforcementLevel.ADVISORY
    assert levels.pop("credential-due") == EnforcementLevel.ADVISORY
    assert set(levels.values()) == {EnforcementLevel.MANDATORY}


def test_limits_have_names_of_their_own_within_a_rule_and_defaults_that_their_file_could_hold() -> None:
    for rule in RULES:
        names = [limit.name for limit in rule.limits]
        assert len(set(names)) == len(names)
        for limit in rule.limits:
            default = list(limit.default) if isinstance(limit.default, tuple) else limit.default
            assert limit.parse(default) == limit.default


def test_what_is_left_to_the_update_is_named_with_its_rule() -> None:
    resource = job(execution={"sparkEnvVars": environment(A=UNKNOWN)})
    rules = [rule for rule in RULES if isinstance(rule, ResourceRule) and resource.type in rule.types]
    assert list(later(resource, rules, Context())) == [
        "clear-credentials: job gpu (execution): whether A holds a credential is known only to the update, and checked "
        "at update."
    ]


def test_properties_become_plain_data_key_by_key() -> None:
    proxy: Any = unknown_checking_proxy(
        {"a": UNKNOWN_STRING_VALUE, "b": [{"c": UNKNOWN_STRING_VALUE, "d": 1.0}], "e": None, "f": "x", "g": [None]}
    )
    assert plain(proxy) == {"a": UNKNOWN, "b": [{"c": UNKNOWN, "d": 1.0}], "f": "x", "g": plain([None])}


def environ(config: str = "{}", stack: str = "dev") -> dict[str, str]:
    clock = NOW.isoformat()
    return {"PULUMI_STACK": stack, "PULUMI_PROJECT": "mine", "PULUMI_CONFIG": config, "ROTATION_CLOCK": clock}


def test_settings_of_the_stack_come_from_the_engines_environment() -> None:
    config = (
        '{"fiftyone:mongodbAtlas": "false", "fiftyone:delegatedOperationCapacity": "7", "mine:secretScope": '
        '"{\\"name\\": \\"theirs\\", \\"existing\\": true}", "mine:secretsFrom": "{\\"clientId\\": \\"ID\\"}"}'
    )
    assert stack_settings(environ(config)) == StackSettings(
        stack="dev",
        mongodb_atlas=False,
        delegated_operation_capacity=7,
        existing_scope="theirs",
        trigger_elsewhere=True,
        now=NOW,
    )
    own = stack_settings(environ('{"mine:secretScope": "own", "mine:secretsFrom": "{\\"host\\": \\"H\\"}"}'))
    assert own == StackSettings(now=NOW)


def test_their_defaults_are_the_programs() -> None:
    settings, fields = stack_settings(environ()), FiftyOneSettings.model_fields
    assert settings.mongodb_atlas == fields["mongodb_atlas"].default
    assert settings.delegated_operation_capacity == fields["delegated_operation_capacity"].default


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (environ(stack=""), "named no stack"),
        (environ('{"fiftyone:mongodbAtlas": "hidden"}'), "fiftyone:mongodbAtlas is neither true nor false"),
        (environ('{"fiftyone:delegatedOperationCapacity": "hidden"}'), "is no whole number"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_and_not_shown(environment: dict[str, str], expected: str) -> None:
    with pytest.raises(PackRefusedError, match=expected) as refused:
        stack_settings(environment)
    assert "hidden" not in str(refused.value)


def test_the_documentation_is_what_the_rules_say() -> None:
    assert (REPO / "docs" / "policies.md").read_text() == table(), "run `make policies-table`"


def test_the_pack_is_a_program_of_its_own_and_its_rules_know_nothing_of_pulumi() -> None:
    for file in PACK.rglob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", file.read_text(), re.MULTILINE))
        assert not imported & {"components", "emulator", "fiftyone_provider", "databricks_provider", "toolchain"}, file
        if file.parent.name == "rules":
            assert not imported & {"pulumi", "pulumi_policy", "pulumi_databricks", "pack"}, file


def _rule(name: str) -> Any:
    return next(rule for rule in RULES if rule.name == name)


def test_a_rule_that_fails_is_a_violation_and_says_nothing_of_what_it_looked_at() -> None:
    def fails(resource: Resource, context: Context) -> Iterator[Finding]:
        raise ValueError("hidden-password")
        yield

    rule = ResourceRule(name="broken", says="Breaks.", types=("a:b:C",), check=fails)
    (found,) = findings(rule, Resource(type="a:b:C", name="x", properties={}), Context())
    assert not found.later
    assert "the rule broken failed (ValueError)" in found.message
    assert "hidden" not in found.message
