"""An orchestrator registered in FiftyOne, as a dynamic resource: registered anew when something about it changes.

FiftyOne has no call that changes a registration. An update deletes it, writes back those of the stack's secrets that
the deletion took (undocumented whether it does), makes sure that every name is a secret's, and only then registers.
Secrets are referred to by name alone; their values pass through here for the writing back.
"""

from contextlib import suppress
from typing import Any, Final, cast

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from fiftyone_provider.client import Registration, UnknownOutcomeError
from fiftyone_provider.connection import CONNECTION, NotLookedError
from fiftyone_provider.existing_secrets import at_risk, gone, unusable
from fiftyone_provider.mark import new_token, parsed
from fiftyone_provider.registering import (
    deregister,
    is_remembered,
    look_alike,
    needs_allowing,
    not_ours,
    register,
    token_of,
)
from fiftyone_provider.steps import tried_again

# False in a state that may not be what the settings asked for, which the update looks at; it leaves it out.
SETTLED: Final = "settled"
REGISTERED: Final = ("description", "mark", "environment", "config", "secrets")


class OrchestratorProvider(ResourceProvider):
    """Registers, finds and deregisters. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse names of no secret: FiftyOne would store the name as a value."""
        problems: dict[str, str] = {}
        with suppress(NotLookedError):
            problems = CONNECTION.look(lambda client: unusable(client, news))
        failures = [CheckFailure(property_=f"secrets.{field}", reason=why) for field, why in problems.items()]
        return CheckResult(inputs=news, failures=failures)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Register; an orchestrator that carries our mark is one of ours whose create was interrupted.

        One that was made by hand and is what would be registered stays as it stands (registering.py).

        A write whose outcome is unknown counts as created, because only what is in the state can be taken back: the
        refresh of its operators makes sure of the registration and stops `up`, and the next one registers again.
        """
        outs: dict[str, Any] = {**props, "token": new_token(), "apiUri": CONNECTION.api_uri}
        try:
            outs["token"] = tried_again(lambda: register(CONNECTION.client, props, outs["token"], olds=None))
        except UnknownOutcomeError as error:
            print(error, flush=True)
            outs[SETTLED] = False
        return CreateResult(id_=props["instanceId"], outs=outs)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What differs from the state.

        What FiftyOne has is looked at where something does, and where there is a reason to (connection.py): a failed
        update leaves the state alone.

        Raises:
            FiftyOneError: the change needs `allowReregister`, or what stands there is not ours.
        """
        moved, reasons = _olds["instanceId"] != _news["instanceId"], _reasons(_olds, _news)
        risk = at_risk(None, _news, _olds)
        # What is not settled is looked at by the update: an error here would stop a refresh, and with it a destroy.
        settled = _olds.get(SETTLED, True)
        if settled and (moved or reasons or CONNECTION.looks(_olds)):
            with suppress(NotLookedError):
                found = CONNECTION.look(lambda client: client.orchestrator(_id))
                reasons += _found_reasons(found, _olds)
                risk = at_risk(found, _news, _olds) if found else []
        if settled and (moved or reasons) and risk and not _news["allowReregister"]:
            raise needs_allowing(_id, risk, "; ".join(reasons) or "its id changes")
        if reasons and not moved:
            why = "; ".join(reasons)
            print(f"orchestrator {_id} is registered anew ({why}); its operators need a refresh after that", flush=True)
        return DiffResult(
            changes=moved or bool(reasons) or not settled or not _secrets_settled(_news),
            replaces=["instanceId"] if moved else [],
            delete_before_replace=False,
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        drawn = new_token()
        token = tried_again(lambda: register(CONNECTION.client, _news, drawn, olds=_olds))
        return UpdateResult(outs={**_news, "token": token, "apiUri": CONNECTION.api_uri})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What can be seen of it; says what differs, which the engine's own words do not."""
        try:
            found = CONNECTION.ask(lambda client: client.orchestrator(id_))
        except NotLookedError:
            return ReadResult(id_=id_, outs=props)
        if found is None:
            print(f"orchestrator {id_} was deleted in FiftyOne", flush=True)
            return ReadResult(id_="", outs={})
        there = look_alike(found)
        if is_remembered(found, props):
            there["mark"] = props["mark"]
        if there["mark"] != props["mark"]:
            # Not taken into the state, which would take it for the stack's own later; the next `up` stops at it.
            print(f"orchestrator {id_} was made anew in FiftyOne, and is not this stack's any more", flush=True)
            return ReadResult(id_=id_, outs={**props, SETTLED: False})
        outs = {**props, **there, "token": token_of(found), "apiUri": CONNECTION.api_uri}
        for name in (name for name in REGISTERED if there[name] != props[name]):
            print(f"orchestrator {id_}: {name} was changed in FiftyOne", flush=True)
            outs[SETTLED] = False
        if outs["token"] != props["token"]:
            print(f"orchestrator {id_} was registered anew in FiftyOne", flush=True)
        for name in CONNECTION.ask(lambda client: gone(client, props["existingSecrets"])):
            print(f"orchestrator {id_} refers to secret {name}, which was deleted in FiftyOne", flush=True)
        return ReadResult(id_=id_, outs=outs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        tried_again(lambda: deregister(CONNECTION.client, _props))


def _reasons(olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
    """Why what is registered has to be registered anew, property by property."""
    return [
        f"{entry} changes"
        for name in REGISTERED
        for entry in (_entries(olds[name], news[name]) if isinstance(news[name], dict) else [name])
        if olds[name] != news[name]
    ]


def _found_reasons(found: Registration | None, olds: dict[str, Any]) -> list[str]:
    """The same for what FiftyOne has, which may be what a failed update has left. Raises FiftyOneError."""
    if found is None:
        return ["it is missing in FiftyOne"]
    if is_remembered(found, olds):
        return []
    if parsed(found.description).mark != olds["mark"]:
        raise not_ours(olds)
    return ["FiftyOne holds another registration of it"]


def _entries(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _secrets_settled(news: dict[str, Any]) -> bool:
    """Not known while a secret is about to be written; settled it will be then."""
    own = cast("dict[str, Any]", news["ownSecrets"]) if isinstance(news["ownSecrets"], dict) else {}
    return all(secret["settled"] for secret in own.values())


class Orchestrator(Resource, module="fiftyone", name="Orchestrator"):
    """One orchestrator of FiftyOne's; `token` is another one after each registration.

    Args:
        instance_id: its id; another one is another orchestrator.
        description: what people read about it.
        mark: whose it is (`mark`).
        environment: where it runs, in FiftyOne's words.
        config: what FiftyOne needs to know of that environment, by FiftyOne's names.
        secrets: names of FiftyOne secrets, by FiftyOne's names of what they hold.
        own_secrets: those of them that are the stack's, by name, each with `value`, `description` as on the server and
            `settled`; a change of theirs changes nothing here.
        existing_secrets: those of them that are not.
        allow_reregister: whether registering anew may cost the existing ones.
    """

    token: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        instance_id: str,
        description: str,
        mark: str,
        environment: str,
        config: dict[str, pulumi.Input[str]],
        secrets: dict[str, str],
        own_secrets: dict[str, dict[str, pulumi.Input[str | bool]]],
        existing_secrets: list[str],
        allow_reregister: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "instanceId": instance_id,
            "description": description,
            "mark": mark,
            "environment": environment,
            "config": config,
            "secrets": secrets,
            "ownSecrets": pulumi.Output.secret(own_secrets),
            "existingSecrets": existing_secrets,
            "allowReregister": allow_reregister,
            "token": None,
        }
        super().__init__(OrchestratorProvider(), resource_name, props, opts)
