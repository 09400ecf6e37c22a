"""The lock under which parts of databricks-sdk are loaded.

They are loaded by the first call that needs them, because they take a second that a run without changes need not spend.
The engine calls providers on several threads, and the parts load each other: at the same time, Python sees a deadlock,
and lets one of the threads go on with a part that is not whole ("cannot import name …").
"""

import logging
import threading
from typing import Final

SDK_IMPORT: Final = threading.RLock()
# By its first message (errors/deserializer.py) databricks-sdk gives the root logger a handler, to which grpc would tell
# each error of a provider, with its traceback.
logging.getLogger("grpc").propagate = False
