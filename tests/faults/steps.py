"""The changes that meet faults: for each, where it begins, what it is to end in, and which resources it is about."""

from dataclasses import dataclass, field

from tests.engine.fiftyone import REPORT
from tests.engine.stack import Run
from tests.faults.world import Aim, World

UP = ("up", "--yes", "--skip-preview")
REFRESH = ("refresh", "--yes", "--skip-preview", "--run-program")
DESTROY = ("destroy", "--yes", "--skip-preview", "--run-program")
ROTATE = "ROTATE_CREDENTIAL"
# What a run of the job asks by itself.
RUN = "(run)"

WHOLE = Aim()
# What has been there before: an archive and an OAuth secret, which a change then retires.
DEPLOYED = Aim(operators=("first", "second"))
CHANGED = Aim(
    orchestrator={"maxCapacity": 9, "description": "Changed", "requirements": ["torch==2.6.0"]},
    environ={"FIFTYONE_ENCRYPTION_KEY": "hidden-new-key"},
    operators=("first", "second", "third"),
)
# The run-as that was there before gives way to another, and so do its entries.
MOVED = Aim(run_as="other", operators=DEPLOYED.operators)
UNNAMED = Aim(run_as="deployer", operators=DEPLOYED.operators)
# Some runs of it are never answered.
COMMANDED = Aim(
    orchestrator={"registrationCommand": REPORT, "registrationTimeoutMinutes": 0.5}, operators=DEPLOYED.operators
)
SECOND = Aim(second=True, operators=DEPLOYED.operators)
DESCRIBED = Aim(orchestrator={"description": "Changed"}, operators=DEPLOYED.operators)
REGISTERED = frozenset({"fiftyone:Secret", "Orchestrator"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """A verb on the stack. With `only` it is about these resources alone: the others have a step of their own."""

    name: str
    verb: str
    start: str
    aim: Aim
    command: tuple[str, ...] = UP
    environ: dict[str, str] = field(default_factory=dict[str, str])
    only: frozenset[str] = frozenset()

    def begin(self, world: World) -> None:
        """Stand where it begins, with the settings that it is to deploy."""
        world.proxy.peace()
        world.proxy.let_go()
        world.stack.environ["FIFTYONE_ENCRYPTION_KEY"] = "hidden-encryption-key"
        world.go_back(self.start)
        world.aim(self.aim)

    def run(self, world: World, *, again: bool = False) -> Run:
        """The verb; what asks for something that happens each time, such as a rotation, is left out `again`."""
        kept = dict(world.stack.environ)
        world.stack.environ.update({} if again else self.environ)
        try:
            return world.run(*self.command)
        finally:
            world.stack.environ = kept


STEPS = {
    step.name: step
    for step in (
        Step(name="create", verb="create", start="nothing", aim=WHOLE),
        Step(name="update", verb="update", start="deployed", aim=CHANGED, environ={ROTATE: "now"}),
        Step(
            name="move",
            verb="update",
            start="deployed",
            aim=MOVED,
            only=frozenset({"Permissions", "PoolGrant", "RoleGrant", "ScopeGrant"}),
        ),
        Step(name="name", verb="create", start="deployed", aim=UNNAMED, only=frozenset({"Deployer"})),
        Step(name="register", verb="update", start="deployed", aim=COMMANDED, only=frozenset({"OperatorRefresh", RUN})),
        Step(name="read", verb="read", start="deployed", aim=DEPLOYED, command=REFRESH),
        Step(name="delete", verb="delete", start="deployed", aim=DEPLOYED, command=DESTROY),
    )
}
# Changes that are taken back in the settings after they have gone wrong.
TAKEN_BACK = {
    step.name: step
    for step in (
        Step(name="add", verb="create", start="deployed", aim=SECOND, only=REGISTERED),
        Step(name="describe", verb="update", start="deployed", aim=DESCRIBED, only=REGISTERED),
    )
}


def prepare(world: World) -> None:
    """Make where steps begin."""
    world.aim(WHOLE)
    world.keep("nothing")
    world.stack.up()
    world.aim(DEPLOYED)
    world.stack.environ[ROTATE] = "now"
    world.stack.up()
    del world.stack.environ[ROTATE]
    world.keep("deployed")
