"""The steps of registering an orchestrator and of taking it back, each of which looks before it acts.

They may be tried again as a whole after a lost answer, with the same token: what an earlier attempt has done is found
by it, and is not done twice.

A registration that somebody made by hand is taken over where it is, down to the job, what would be registered, because
only deleting it could give it our mark, and that would cost its operators. When it was made is its token then.
"""

from typing import Any, Final

from fiftyone_provider.client import FiftyOne, FiftyOneError, Registration
from fiftyone_provider.existing_secrets import at_risk, check_usable, gone
from fiftyone_provider.mark import Stamped, foreign, parsed

# Registrations that a create of this process took over as they were, by id and token: where it was a replacement, the
# engine deletes the resource before, which carries the same.
_ADOPTED: Final[set[tuple[str, str]]] = set()


def register(client: FiftyOne, news: dict[str, Any], token: str, *, olds: dict[str, Any] | None) -> str:
    """Have the orchestrator registered as `news` has it; the token that its registration carries then.

    Raises:
        FiftyOneError: it is not ours, or a secret that is not ours is missing.
    """
    instance_id = news["instanceId"]
    check_usable(client, news)
    found = client.orchestrator(instance_id)
    if found and not is_ours(found, news, olds):
        raise not_ours(news, found)
    if found and (token_of(found) == token or _may_stay(found, news, olds)):
        _write_back(client, news)
        if (standing := token_of(found)) != token:
            _ADOPTED.add((instance_id, standing))
        return standing
    risk = at_risk(found, news, olds) if found else []
    if found:
        if risk and not news["allowReregister"]:
            raise needs_allowing(instance_id, risk, "it differs from the settings")
        client.delete_orchestrator(instance_id)
    _write_back(client, news)
    if lost := gone(client, risk):
        raise _lost(instance_id, lost)
    client.register(
        Registration(
            instance_id=instance_id,
            description=str(Stamped(text=news["description"], mark=news["mark"], token=token)),
            environment=news["environment"],
            config=news["config"],
            secrets=news["secrets"],
        )
    )
    return token


def deregister(client: FiftyOne, props: dict[str, Any]) -> None:
    """Delete the orchestrator if it is what this stack registered; what else has its id is left alone.

    Raises:
        FiftyOneError: secrets that are not the stack's went with it.
    """
    instance_id = props["instanceId"]
    found = client.orchestrator(instance_id)
    if found is None or (instance_id, props["token"]) in _ADOPTED:
        return
    if not is_remembered(found, props):
        print(f"orchestrator {instance_id} is not what this stack registered last, so it was left", flush=True)
        return
    risk = at_risk(found, props, None)
    client.delete_orchestrator(instance_id)
    if lost := gone(client, risk):
        raise _lost(instance_id, lost)


def look_alike(found: Registration) -> dict[str, Any]:
    """A registration in the words of the resource's inputs."""
    there = parsed(found.description)
    return {
        "description": there.text,
        "mark": there.mark,
        "environment": found.environment,
        "config": dict(found.config),
        "secrets": dict(found.secrets),
    }


def is_ours(found: Registration, news: dict[str, Any], olds: dict[str, Any] | None) -> bool:
    """Whether it carries our mark, is the very one that the state remembers, or is taken over as it stands."""
    if parsed(found.description).mark == news["mark"]:
        return True
    if olds:
        return is_remembered(found, olds)
    return is_unmarked(found) and bool(found.created_at) and not unlike(found, news)


def is_unmarked(found: Registration) -> bool:
    """Whether somebody registered it by hand."""
    return not parsed(found.description).mark


def is_remembered(found: Registration, state: dict[str, Any]) -> bool:
    """Whether it is the very one that a resource's state remembers, by its token; by hand, no mark is asked for."""
    mark = parsed(found.description).mark or state["mark"]
    return (mark, token_of(found)) == (state["mark"], state["token"])


def token_of(found: Registration) -> str:
    """What tells it from any other of its id: the token of its mark, or when it was made."""
    return found.created_at if is_unmarked(found) else parsed(found.description).token


def unlike(found: Registration, news: dict[str, Any]) -> list[str]:
    """In what it differs from what would be registered, beside the mark."""
    return [name for name, value in look_alike(found).items() if name != "mark" and news[name] != value]


def not_ours(props: dict[str, Any], found: Registration | None = None) -> FiftyOneError:
    """The error of an orchestrator that has our id and not our mark."""
    differs = unlike(found, props) if found and is_unmarked(found) else []
    alike = f"To keep one made by hand, let {', '.join(differs)} agree (`make adopt` shows how). " if differs else ""
    return foreign(
        f"an orchestrator {props['instanceId']}",
        props["mark"],
        adopt=f"{alike}To have the stack register it, delete it in FiftyOne: "
        f'`fiftyone.management.delete_orchestrator("{props["instanceId"]}")`; else choose another instance id.',
    )


def needs_allowing(instance_id: str, risk: list[str], why: str) -> FiftyOneError:
    """The error of a change that may cost secrets that are not the stack's."""
    return FiftyOneError(
        f"Orchestrator {instance_id} would be registered anew ({why}). That deletes it first, and FiftyOne may delete "
        f"the secrets that it refers to as well: {' and '.join(risk)} would be lost, which this stack did not make. Be "
        "ready to restore what is lost and set `allowReregister: true`."
    )


def _may_stay(found: Registration, news: dict[str, Any], olds: dict[str, Any] | None) -> bool:
    """Whether what is registered is right as it is.

    On create it is only where registering anew might cost secrets that are not ours, or where it was made by hand. Else
    a new token is drawn, so that a resource of another name in the state, which the engine deletes afterwards, does not
    take it for its own.
    """
    by_hand = is_unmarked(found)
    if unlike(found, news) or not (by_hand or parsed(found.description).mark == news["mark"]):
        return False
    if olds is None:
        return by_hand or (bool(news["existingSecrets"]) and not news["allowReregister"])
    return token_of(found) == olds["token"]


def _write_back(client: FiftyOne, news: dict[str, Any]) -> None:
    """See to it that the stack's secrets are there as the stack last wrote them."""
    for key, secret in news["ownSecrets"].items():
        found = client.secret(key)
        there, wanted = parsed(found.description if found else None), parsed(secret["description"])
        if found is None:
            client.add_secret(key, secret["value"], secret["description"])
        elif there.mark != wanted.mark:
            raise foreign(f"a secret {key}", wanted.mark, adopt="Run the same command again to see what to do.")
        elif there.token != wanted.token:
            client.update_secret(key, secret["value"], secret["description"])


def _lost(instance_id: str, names: list[str]) -> FiftyOneError:
    return FiftyOneError(
        f"FiftyOne has no secret {' and '.join(names)}, which this stack did not make: it went with the registration "
        f"of orchestrator {instance_id} that was deleted. Restore it in FiftyOne, and run the same command again."
    )
