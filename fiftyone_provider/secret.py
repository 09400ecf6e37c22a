"""A FiftyOne secret, as a dynamic resource: written when it changes, known by its mark, deleted by its token.

A value can never be read back, so it is written when it changed here, or when the token on the server shows that what
stands there is of another write: one whose answer got lost, or one that was taken back in the settings since. That is
looked at by `refresh`, and by a plan that changes it or has a reason to look (connection.py); any other goes by the
state.
"""

from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from fiftyone_provider.client import FiftyOneError, UnknownOutcomeError
from fiftyone_provider.connection import CONNECTION, NotLookedError
from fiftyone_provider.mark import Stamped, foreign, new_token, parsed
from fiftyone_provider.steps import tried_again

WRITTEN = ("value", "description", "mark")


class SecretProvider(ResourceProvider):
    """Writes, finds and deletes secrets. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Add the secret, or take over one that carries our mark.

        A write whose outcome is unknown counts as created, because only what is in the state can be taken back. It is
        marked as not settled: the orchestrator that refers to it makes sure of it, or fails where FiftyOne does not
        answer, and the next `up` writes again.
        """
        token, settled = new_token(), True
        try:
            _write(props, token, known="", olds=None)
        except UnknownOutcomeError as error:
            print(error, flush=True)
            settled = False
        outs = {**props, **_written(token, settled=settled, value_id_before="")}
        return CreateResult(id_=props["key"], outs=outs)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        moved = _olds["key"] != _news["key"]
        # A preview that does not know the value plans it as empty, which `up` may not (components/registration.py).
        written = [name for name in WRITTEN if name != "value" or _news.get("value") != ""]
        changed = moved or any(_olds.get(name) != _news.get(name) for name in written)
        # What is not settled is looked at by the update: an error here would stop a refresh, and with it a destroy.
        unsettled = not _olds["settled"] or ((changed or CONNECTION.looks(_olds)) and _was_touched(_id, _olds))
        return DiffResult(
            changes=changed or unsettled,
            replaces=["key"] if moved else [],
            delete_before_replace=False,
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        token = new_token()
        same = _olds["settled"] and _olds.get("value") == _news.get("value")
        _write(_news, token, known=_olds["token"] if same else "", olds=_olds)
        # States of earlier versions of this program have neither.
        held, before = _olds.get("valueId", ""), _olds.get("valueIdBefore", "")
        before = before if held == _news["valueId"] else held
        return UpdateResult(outs={**_news, **_written(token, settled=True, value_id_before=before)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What can be seen of it; says what differs, which the engine's own words do not."""
        try:
            found = CONNECTION.ask(lambda client: client.secret(id_))
        except NotLookedError:
            return ReadResult(id_=id_, outs=props)
        if found is None:
            print(f"FiftyOne secret {id_} was deleted in FiftyOne", flush=True)
            return ReadResult(id_="", outs={})
        there = parsed(found.description)
        if there.mark != props["mark"]:
            # Not taken into the state, which would take it for the stack's own later; the next `up` stops at it.
            print(f"FiftyOne secret {id_} was made anew in FiftyOne, and is not this stack's any more", flush=True)
            return ReadResult(id_=id_, outs={**props, "settled": False})
        outs = {**props, "description": there.text, "apiUri": CONNECTION.api_uri}
        if there.text != props["description"]:
            print(f"FiftyOne secret {id_}: description was changed in FiftyOne", flush=True)
        if there.token != props["token"]:
            print(f"FiftyOne secret {id_} was written in FiftyOne since, and is written again by `up`", flush=True)
            outs |= {"token": there.token, "settled": False}
        return ReadResult(id_=id_, outs=outs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        tried_again(lambda: _delete(_id, _props))


def _written(token: str, *, settled: bool, value_id_before: str) -> dict[str, Any]:
    """What the state keeps of a write."""
    return {"token": token, "settled": settled, "valueIdBefore": value_id_before, "apiUri": CONNECTION.api_uri}


def _foreign(props: dict[str, Any]) -> FiftyOneError:
    handed_over = Stamped(text="", mark=props["mark"])
    return foreign(
        f"a secret {props['key']}",
        props["mark"],
        adopt=f"To hand it over to the stack, end its description in FiftyOne with {handed_over}; to use it as it is, "
        "name it in `secretsFrom`; or delete it there if nobody needs it.",
    )


def _was_touched(key: str, olds: dict[str, Any]) -> bool:
    """Whether FiftyOne has something else than what the state remembers, as far as it can be asked.

    Raises:
        FiftyOneError: somebody made it anew.
    """
    try:
        found = CONNECTION.look(lambda client: client.secret(key))
    except NotLookedError:
        return False
    there = parsed(found.description if found else None)
    if found and there.mark != olds["mark"]:
        raise _foreign(olds)
    if there.token == olds["token"]:
        return False
    how = "was written since" if found else "is missing"
    print(f"FiftyOne secret {key} {how} in FiftyOne: it is written again", flush=True)
    return True


def _write(props: dict[str, Any], token: str, *, known: str, olds: dict[str, Any] | None) -> None:
    """Put the secret in place. A secret that still carries the token `known` holds the value already."""
    client, key = CONNECTION.client, props["key"]
    description = str(Stamped(text=props["description"], mark=props["mark"], token=token))

    def step() -> None:
        found = client.secret(key)
        there = parsed(found.description if found else None)
        if found is None:
            client.add_secret(key, props["value"], description)
        elif there.mark != props["mark"] and not (olds and there.is_write_of(olds)):
            raise _foreign(props)
        elif there.token != token:
            value = None if known and there.token == known else props["value"]
            client.update_secret(key, value, description)

    tried_again(step)


def _delete(key: str, props: dict[str, Any]) -> None:
    found = CONNECTION.client.secret(key)
    if found is None:
        return
    there = parsed(found.description)
    if not there.is_write_of(props):
        print(f"FiftyOne secret {key} is not what this stack last wrote, so it was left in FiftyOne", flush=True)
        return
    CONNECTION.client.delete_secret(key)


class Secret(Resource, module="fiftyone", name="Secret"):
    """One secret of FiftyOne's. The value is a secret in the state whether or not the caller marked it as one.

    Args:
        key: its name, in upper snake case; another one is another secret.
        value: what only FiftyOne reads.
        description: what people read about it.
        mark: whose it is (`mark`).
        value_id: what else tells the value from another, and is no secret; `valueIdBefore` is that of the value before.
    """

    valueId: pulumi.Output[str]  # noqa: N815 - outputs have the names of the state
    valueIdBefore: pulumi.Output[str]  # noqa: N815
    token: pulumi.Output[str]
    settled: pulumi.Output[bool]

    def __init__(
        self,
        resource_name: str,
        *,
        key: str,
        value: pulumi.Input[str],
        description: str,
        mark: str,
        value_id: pulumi.Input[str] = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "key": key,
            "value": pulumi.Output.secret(value),
            "valueId": value_id,
            "description": description,
            "mark": mark,
            **dict.fromkeys(("token", "settled", "valueIdBefore")),
        }
        super().__init__(SecretProvider(), resource_name, props, opts)
