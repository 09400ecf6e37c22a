"""The smallest policy pack: one rule that nothing breaks."""

from pulumi_policy import PolicyPack, ReportViolation, StackValidationArgs, StackValidationPolicy


def nothing(_args: StackValidationArgs, _report: ReportViolation) -> None:
    """Accept every stack."""


PolicyPack("smoke", policies=[StackValidationPolicy(name="nothing", description="Accepts all.", validate=nothing)])
