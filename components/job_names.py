"""Names in an orchestrator's job by which others know it: FiftyOne its tasks, bills and recovery its tag.

Source: guide, "Create Job", for the tasks.
"""

from typing import Final

EXECUTION_TASK: Final = "execute_task"
REGISTRATION_TASK: Final = "register_task"
# The job's one tag, which becomes a tag of its clusters; a pool that sets it too cannot start them (instance_pool.md).
STACK_TAG: Final = "pulumi-stack"
