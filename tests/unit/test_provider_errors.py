"""An error of a provider is told once, by the engine, and not with a traceback on top."""

import logging

from databricks_provider.workspace_client import workspace_client


def test_grpc_tells_the_root_logger_nothing_once_there_is_a_client() -> None:
    heard: list[logging.LogRecord] = []

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    values = {"databricks:host": "https://workspace.invalid", "databricks:token": "not-a-token"}
    workspace_client(values.get)
    root, hearing = logging.getLogger(), Hearing()
    # As databricks-sdk's own messages do, by way of logging.debug().
    root.addHandler(hearing)
    try:
        logging.getLogger("grpc._server").error("Exception calling application")
    finally:
        root.removeHandler(hearing)
    assert heard == []
