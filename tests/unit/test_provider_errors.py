"""An error of a provider is told once, by the engine, and not with a traceback on top."""

import logging

import databricks_provider.sdk_import  # noqa: F401 - what is tested is what it does


def test_grpc_tells_the_root_logger_nothing() -> None:
    heard: list[logging.LogRecord] = []

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    root, hearing = logging.getLogger(), Hearing()
    # As databricks-sdk's own messages do, by way of logging.debug().
    root.addHandler(hearing)
    try:
        logging.getLogger("grpc._server").error("Exception calling application")
    finally:
        root.removeHandler(hearing)
    assert heard == []
