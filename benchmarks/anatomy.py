"""Where the time of a run goes: loading, settings, engine, provider, dynamic providers, policy pack."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.goals import Goal, table
from benchmarks.report import Section, say
from benchmarks.stacks import Program, Subject, subject
from benchmarks.steps import Taken, take
from components.settings_loader import load_settings
from tests.engine.stack import SECRETS, base
from tests.engine.workspace import REPO
from toolchain.paths import POLICY_PACK

# Modules that are loaded before the clock starts, and those whose loading it measures.
LOADED: Final = {
    "pulumi": ((), ("pulumi",)),
    "pulumi_databricks": (("pulumi",), ("pulumi_databricks",)),
    "the program's own modules, pydantic and PyYAML": (
        ("pulumi", "pulumi_databricks"),
        ("components.stack_inputs", "components.fiftyone_orchestrator", "components.service_principal"),
    ),
    "the dynamic providers' modules": (
        ("pulumi",),
        ("databricks_provider.secret", "databricks_provider.archive", "fiftyone_provider.orchestrator"),
    ),
    "databricks-sdk, where a provider changes or looks at something": (("pulumi",), ("databricks.sdk",)),
}
OWN: Final = "the program's own modules, pydantic and PyYAML"
SLOW: Final = ("pulumi_databricks", "databricks.sdk")
NEAR_NOTHING: Final = 0.1
PACK: Final = ("--policy-pack", str(POLICY_PACK))
WITH_PACK: Final = "preview, no change, with the pack"
SHOWN: Final = ("preview, no change", WITH_PACK, "up, first", "up, no change")


def measure(repetitions: int) -> Section:
    """Loading by itself, then the processes of each step, then the engine and the pack as a whole."""
    say("where time goes")
    loading = {what: _median(lambda m=modules: _loading(*m), repetitions) for what, modules in LOADED.items()}
    settings = _median(_settings_seconds, repetitions)
    with subject(Program.EMPTY) as measured:
        engine = [take(measured, "preview, nothing deployed") for _ in range(repetitions)]
    with subject(Program.WHOLE) as measured:
        steps = {"up, first": take(measured, "up, first")}
        plain, packed = _with_and_without_pack(measured, repetitions)
        steps |= {
            "preview, no change": plain[-1],
            WITH_PACK: packed[-1],
            "up, no change": take(measured, "up, no change"),
        }
    without = statistics.median(one.seconds for one in plain)
    parts = [[what, f"{seconds:.2f}"] for what, seconds in loading.items()]
    parts += [["settings, read and checked", f"{settings:.3f}"]]
    wholes = [
        ["a preview of a program that does nothing", f"{statistics.median(one.seconds for one in engine):.2f}"],
        ["a preview of the whole program without changes", f"{without:.2f}"],
        ["the same with the policy pack", f"{statistics.median(one.seconds for one in packed):.2f}"],
    ]
    text = "\n\n".join(
        [
            "What is loaded, in processor seconds of a fresh interpreter:",
            table(["part", "s"], parts),
            "Whole runs, in seconds:",
            table(["run", "s"], wholes),
            "The processes of the whole program's runs, in processor seconds and, in brackets, MB at most.",
            _processes(steps),
        ]
    )
    own = loading[OWN] + settings
    goals = [
        Goal(
            what="the program's own modules and settings, of the processor time of a preview without changes",
            limit=NEAR_NOTHING,
            found=own / statistics.median(one.processor_seconds for one in plain),
        ),
        Goal(what="databricks packages that the dynamic providers load unasked", limit=0, found=_slow()),
    ]
    return Section(title="Where time goes", text=text, goals=goals)


def _loading(before: Sequence[str], modules: Sequence[str]) -> float:
    first = "".join(f"import {name}\n" for name in before)
    clocked = f"began = time.process_time()\nimport {', '.join(modules)}\nprint(time.process_time() - began)"
    return float(_python(f"{first}import time\n{clocked}"))


def _slow() -> int:
    modules = ", ".join(LOADED["the dynamic providers' modules"][1])
    return int(_python(f"import sys, {modules}; print(sum(name in sys.modules for name in {SLOW!r}))"))


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    return done.stdout


def _settings_seconds() -> float:
    import json

    config = {
        name if ":" in name else f"fiftyone-databricks:{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in base().items()
    }
    environ = {
        **SECRETS,
        "DATABRICKS_HOST": "http://127.0.0.1",
        "FIFTYONE_API_URI": "http://127.0.0.1",
        "SERVICE_PRINCIPAL_CLIENT_SECRET": "none",
    }
    began = time.process_time()
    load_settings(stack="test", config=config, secret_keys=(), environ=environ, previewing=True)
    return time.process_time() - began


def _median(measured: Callable[[], float], repetitions: int) -> float:
    return statistics.median(measured() for _ in range(repetitions))


def _with_and_without_pack(measured: Subject, repetitions: int) -> tuple[list[Taken], list[Taken]]:
    """In turns."""
    plain: list[Taken] = []
    packed: list[Taken] = []
    for _ in range(repetitions):
        plain.append(take(measured, "preview, no change"))
        packed.append(take(measured, "preview, no change", *PACK))
    return plain, packed


def _processes(steps: dict[str, Taken]) -> str:
    roles = sorted({role for taken in steps.values() for role in taken.processes})
    rows = [
        [
            role,
            *(
                f"{usage.seconds:.2f} ({usage.megabytes:.0f})" if (usage := steps[step].processes.get(role)) else "–"
                for step in SHOWN
            ),
        ]
        for role in roles
    ]
    return table(["process", *SHOWN], rows)
