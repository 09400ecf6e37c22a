"""The HTTP side of FiftyOne's API. FiftyOne's own is not public: this one is the stand-in's, and so is its shape.

`POST /fiftyone/management/<function of fiftyone.management>` takes the arguments as JSON and the key as `X-API-Key`,
and answers `{"result": …}`. A refusal's `error_code` is the exception that the function raises, where it is documented
to raise one. `refresh` and `delegate` stand for what a person clicks in FiftyOne.
"""

from typing import Any

from emulator import fiftyone_orchestrators, fiftyone_secrets, fiftyone_trigger, fiftyone_users
from emulator.api import Body, Call, Handler, Route

KEY_FILE = "fiftyone-api-key"


def test_api_connection(call: Call) -> dict[str, Any]:
    call.read(Body)
    return {"result": None}


FUNCTIONS: list[Handler] = [
    fiftyone_orchestrators.register_orchestrator,
    fiftyone_orchestrators.get_orchestrator,
    fiftyone_orchestrators.list_orchestrators,
    fiftyone_orchestrators.delete_orchestrator,
    fiftyone_secrets.add_secret,
    fiftyone_secrets.get_secret_info,
    fiftyone_secrets.list_secrets,
    fiftyone_secrets.update_secret,
    fiftyone_secrets.delete_secret,
    fiftyone_users.whoami,
    test_api_connection,
]
ROUTES: list[Route] = [
    *(("POST", f"/fiftyone/management/{function.__name__}", function) for function in FUNCTIONS),
    ("POST", "/fiftyone/orchestrators/{id}/refresh", fiftyone_trigger.refresh),
    ("POST", "/fiftyone/orchestrators/{id}/delegate", fiftyone_trigger.delegate),
    ("POST", "/fiftyone/orchestrators/{id}/operators", fiftyone_trigger.report_operators),
]
