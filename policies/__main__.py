"""The policy pack: assembles the rules with the limits of the stack. What is enforced is in rules/."""

import os
import sys

from pulumi_policy import EnforcementLevel, PolicyPack

from pack.enforce import policies
from pack.limits import read_limits
from pack.refusal import PackRefusedError
from pack.stack_settings import stack_settings
from rules.catalogue import RULES
from rules.model import Context

try:
    settings = stack_settings(os.environ)
    found = policies(RULES, Context(settings, read_limits(settings.stack, RULES)))
except PackRefusedError as refusal:
    print(f"policy pack: {refusal}", file=sys.stderr, flush=True)
    os._exit(32)  # all there is to say has been said; an exception would add a traceback

PolicyPack("fiftyone-databricks", policies=found, enforcement_level=EnforcementLevel.MANDATORY)
