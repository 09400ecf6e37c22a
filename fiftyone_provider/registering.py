"""The steps of registering an orchestrator and of taking it back, each of which looks before it acts.

They may be tried again as a whole after a lost answer, with the same token: what an earlier attempt has done is found
by it, and is not done twice.
"""

from collections.abc import Iterable
from typing import Any

from fiftyone_provider.client import FiftyOne, FiftyOneError, Registration
from fiftyone_provider.mark import Stamped, foreign, parsed


def register(client: FiftyOne, news: dict[str, Any], token: str, *, olds: dict[str, Any] | None) -> str:
    """Have the orchestrator registered as `news` has it; the token that its registration carries then.

    Raises:
        FiftyOneError: it is not ours, or a secret that is not ours is missing.
    """
    existing = news["existingSecrets"]
    if missing := absent(client, existing):
        raise _lost(news["instanceId"], missing)
    found = client.orchestrator(news["instanceId"])
    there = parsed(found.description if found else None)
    if found and there.mark != news["mark"]:
        raise not_ours(news)
    if found and (there.token == token or _may_stay(found, news, olds)):
        _write_back(client, news)
        return there.token
    if found:
        if existing and not news["allowReregister"]:
            raise FiftyOneError(
                f"Orchestrator {news['instanceId']} has to be deleted and registered anew, which may cost the secrets "
                "that `secretsFrom` names. Be ready to restore them and set `allowReregister: true`."
            )
        client.delete_orchestrator(news["instanceId"])
    _write_back(client, news)
    if missing := absent(client, existing):
        raise _lost(news["instanceId"], missing)
    description = str(Stamped(text=news["description"], mark=news["mark"], token=token))
    client.register(
        Registration(
            instance_id=news["instanceId"],
            description=description,
            environment=news["environment"],
            config=news["config"],
            secrets=news["secrets"],
        )
    )
    return token


def deregister(client: FiftyOne, props: dict[str, Any]) -> None:
    """Delete the orchestrator if it is what this stack registered; what else has its id is left alone."""
    found = client.orchestrator(props["instanceId"])
    if found is None:
        return
    there = parsed(found.description)
    if (there.mark, there.token) != (props["mark"], props["token"]):
        print(f"orchestrator {found.instance_id} is not what this stack registered last, so it was left", flush=True)
        return
    client.delete_orchestrator(props["instanceId"])
    if missing := absent(client, props["existingSecrets"]):
        print(f"FiftyOne deleted {_listed(missing)} with orchestrator {found.instance_id}: restore them", flush=True)


def absent(client: FiftyOne, names: Iterable[str]) -> list[str]:
    """Which of these are no secrets of FiftyOne's."""
    return [name for name in names if client.secret(name) is None]


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


def not_ours(props: dict[str, Any]) -> FiftyOneError:
    """The error of an orchestrator that has our id and not our mark."""
    return foreign(
        f"an orchestrator {props['instanceId']}",
        props["mark"],
        adopt="To have the stack register it, delete it in FiftyOne: "
        f'`fiftyone.management.delete_orchestrator("{props["instanceId"]}")`; else choose another instance id.',
    )


def _may_stay(found: Registration, news: dict[str, Any], olds: dict[str, Any] | None) -> bool:
    """Whether what is registered is right as it is.

    On create it is only where registering anew might cost secrets that are not ours. Else a new token is drawn, so that
    a resource of another name in the state, which the engine deletes afterwards, does not take it for its own.
    """
    if any(news[name] != value for name, value in look_alike(found).items()):
        return False
    if olds is None:
        return bool(news["existingSecrets"]) and not news["allowReregister"]
    return parsed(found.description).token == olds["token"]


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


def _lost(instance_id: str, missing: list[str]) -> FiftyOneError:
    return FiftyOneError(
        f"FiftyOne has no secret {_listed(missing)}, to which orchestrator {instance_id} refers by `secretsFrom`; it "
        "may have gone with an earlier registration. Restore it in FiftyOne and run the same command again."
    )


def _listed(names: list[str]) -> str:
    return " and ".join(names)
