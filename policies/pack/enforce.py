"""Policies of Pulumi's made of rules, mandatory unless they warn, and one that says what only the update will check.

A resource policy that is violated stops its resource, in a preview and in `up`; a stack policy reports in the preview,
and in `up` when everything exists, so `up` previews first. What is unknown would make the SDK skip a policy with a
word of its own; `checked-at-update` says it in ours, and is advisory because nothing is wrong.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from pack.properties import of_resource, of_stack
from rules.model import Context, Finding, Resource, ResourceRule, Rule, StackRule

LATER = "checked-at-update"


def policies(rules: Sequence[Rule], context: Context) -> list[Policy]:
    """A policy for each rule, by its name, and `checked-at-update`."""
    found: list[Policy] = [_policy(rule, context) for rule in rules]
    return [*found, _later([rule for rule in rules if isinstance(rule, ResourceRule)], context)]


def _policy(rule: Rule, context: Context) -> Policy:
    match rule:
        case ResourceRule():

            def resource(args: ResourceValidationArgs, report: ReportViolation, rule: ResourceRule = rule) -> None:
                if args.resource_type in rule.types:
                    for finding in findings(rule, of_resource(args), context):
                        if not finding.later:
                            report(finding.message, None)

            return ResourceValidationPolicy(
                name=rule.name,
                description=rule.says,
                enforcement_level=EnforcementLevel.MANDATORY,
                validate=resource,
            )
        case StackRule():

            def stack(args: StackValidationArgs, report: ReportViolation, rule: StackRule = rule) -> None:
                for finding in findings(rule, of_stack(args.resources), context):
                    report(finding.message, finding.urn or None)

            return StackValidationPolicy(
                name=rule.name,
                description=rule.says,
                enforcement_level=EnforcementLevel.ADVISORY if rule.warns else EnforcementLevel.MANDATORY,
                validate=stack,
            )


def _later(rules: Sequence[ResourceRule], context: Context) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        concerned = [rule for rule in rules if args.resource_type in rule.types]
        if concerned:
            for line in later(of_resource(args), concerned, context):
                report(line, None)

    return ResourceValidationPolicy(
        name=LATER,
        description="What a rule needs and a preview does not know yet.",
        enforcement_level=EnforcementLevel.ADVISORY,
        validate=validate,
    )


def later(resource: Resource, rules: Sequence[ResourceRule], context: Context) -> Iterator[str]:
    """What rules leave to the update, each with the rule's name."""
    for rule in rules:
        for finding in findings(rule, resource, context):
            if finding.later:
                yield f"{rule.name}: {finding.message}"


def findings(rule: Rule, looked_at: Any, context: Context) -> Iterator[Finding]:
    """What a rule finds. One that fails has found that it cannot tell: the engine would show the pack as passed."""
    try:
        yield from rule.check(looked_at, context)
    except Exception as error:  # noqa: BLE001 - a defect of a rule; its words may quote a secret
        yield Finding(
            what=f"the rule {rule.name} failed ({type(error).__name__})",
            why="whether it holds is not known",
            mend="this is a defect of policies/rules: report or mend it there",
        )
