"""A small image, and a resolver that asks indexes on loopback alone."""

import os
from pathlib import Path

from preflight.resolver import Resolver
from preflight.runtime import Image
from tests.unit.package_index import Index

SECRET = "hidden-token"


def small_image(installed: dict[str, str], declared: dict[str, tuple[str, ...]] | None = None) -> Image:
    return Image(
        title="runtime 1.0 standard",
        python="3.12.3",
        platform="x86_64-manylinux_2_39",
        installed=installed,
        declared=dict.fromkeys(installed, ()) | (declared or {}),
    )


def resolver(folder: Path, public: Index, private: str | None = None) -> Resolver:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    # So that nothing of an index that answered before is remembered, and no proxy asked for loopback.
    environ |= {"UV_CACHE_DIR": str(folder / "cache"), "UV_DEFAULT_INDEX": public.url(), "NO_PROXY": "127.0.0.1"}
    return Resolver(environ=environ, private=private)


def of_the_public_index() -> dict[str, str]:
    """The environment without what it says of package indexes."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("UV_") and name != "PIP_FIND_LINKS"
    }
