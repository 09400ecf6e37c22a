"""Files in volumes. Owns paths below `/Volumes` and their contents, which lie in files under the home.

One managed volume always exists, `/Volumes/main/default/stand-in`: the stand-in has no catalog to make others in.
Uploads by presigned URLs are answered as by a workspace that has them disabled, so that clients fall back to one
request for the whole file, which is what the Files API documents.
"""

import os
from pathlib import Path
from typing import Any

from emulator.api import ApiError, Call, Route, invalid
from emulator.store import now_ms

VOLUME = "main/default/stand-in"
# The Files API's documented limit of a file.
MAX_BYTES = 5 * 1024**3


def root(home: Path) -> Path:
    """The folder that stands for `/Volumes`, with the one volume in it."""
    folder = home / "volumes"
    (folder / VOLUME).mkdir(parents=True, exist_ok=True)
    return folder


def new_upload(home: Path) -> Path:
    """Where a body is written before it is known whether it is taken; on the file system of the volumes."""
    folder = root(home) / ".uploads"
    folder.mkdir(exist_ok=True)
    return folder / os.urandom(8).hex()


def _not_found(what: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", what)


def _exists(what: str) -> ApiError:
    return ApiError(409, "ALREADY_EXISTS", what)


def locate(home: Path, path: str) -> Path:
    """The file or folder that a path below `/Volumes` means. Raises ApiError."""
    parts = path.removeprefix("/Volumes/").rstrip("/").split("/")
    if not path.startswith("/Volumes/") or any(
        part in ("", ".", "..") or "\0" in part or len(part.encode()) > 255 for part in parts
    ):
        raise invalid(f"Path ({path}) is not a plain path of the form /Volumes/<catalog>/<schema>/<volume>/<path>.")
    if "/".join(parts[:3]) != VOLUME:
        raise _not_found(f"Volume '{'.'.join(parts[:3])}' does not exist.")
    return root(home).joinpath(*parts)


def _file(call: Call) -> Path:
    return locate(call.home, f"/{call.path['path']}")


def upload(call: Call) -> None:
    """Write a file, whose folders come into being with it. The content is another file afterwards, never changed."""
    target, overwrite = _file(call), call.query.get("overwrite", "true")
    if overwrite not in ("true", "false"):
        raise invalid("overwrite must be true or false.")
    if target.is_dir():
        raise _exists("The path is a directory.")
    if target.exists() and overwrite == "false":
        raise _exists("The file being created already exists.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise invalid("A parent of the file being created is not a directory.") from None
    if call.upload is None:
        raise TypeError("the server streams what this answers")
    call.upload.chmod(0o400)
    call.upload.replace(target)


def download(call: Call) -> Path:
    """The content, or for HEAD what there is to know of it."""
    target = _file(call)
    if not target.is_file():
        raise _not_found("The file being accessed is not found.")
    return target


def delete(call: Call) -> None:
    download(call).unlink()


def create_directory(call: Call) -> None:
    """Make a directory and its parents; one that is there is fine."""
    try:
        _file(call).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise _exists("The path or a parent of it is a file.") from None


def _directory(call: Call) -> Path:
    target = _file(call)
    if not target.is_dir():
        raise _not_found("The directory being accessed is not found.")
    return target


def list_directory(call: Call) -> dict[str, Any]:
    """All of the contents by name, however many a page is asked to have; for HEAD, whether it is there."""
    target = _directory(call)
    contents: list[dict[str, Any]] = []
    for entry in sorted(os.scandir(target), key=lambda entry: entry.name):
        shown = {"path": f"/{call.path['path'].rstrip('/')}/{entry.name}", "name": entry.name}
        about = {"is_directory": entry.is_dir(), "last_modified": entry.stat().st_mtime_ns // 1_000_000}
        contents.append(shown | about | ({} if entry.is_dir() else {"file_size": entry.stat().st_size}))
    return {"contents": contents} if contents else {}


def delete_directory(call: Call) -> None:
    target = _directory(call)
    if target == root(call.home) / VOLUME:
        raise invalid("The root of a volume cannot be deleted.")
    if any(target.iterdir()):
        raise ApiError(400, "BAD_REQUEST", "The directory being deleted is not empty.")
    target.rmdir()


def initiate_upload(call: Call) -> dict[str, Any]:
    """What clients begin the upload of a large file with; `no_presigned_urls` is what they hear next."""
    if call.query.get("action") != "initiate-upload":
        raise invalid("The only action of this stand-in is initiate-upload.")
    if _file(call).exists() and call.query.get("overwrite") == "false":
        raise _exists("The file being created already exists.")
    return {"multipart_upload": {"session_token": f"stand-in-{now_ms()}"}}


def no_presigned_urls(_: Call) -> None:
    message = "Presigned URLs API is not enabled."
    raise ApiError(403, "PERMISSION_DENIED", message, reason="FILES_API_API_IS_NOT_ENABLED")


ROUTES: list[Route] = [
    ("PUT", "/api/2.0/fs/files/{path:path}", upload),
    ("GET", "/api/2.0/fs/files/{path:path}", download),
    ("DELETE", "/api/2.0/fs/files/{path:path}", delete),
    ("POST", "/api/2.0/fs/files/{path:path}", initiate_upload),
    ("PUT", "/api/2.0/fs/directories/{path:path}", create_directory),
    ("GET", "/api/2.0/fs/directories/{path:path}", list_directory),
    ("DELETE", "/api/2.0/fs/directories/{path:path}", delete_directory),
    *(
        ("POST", f"/api/2.0/fs/{verb}", no_presigned_urls)
        for verb in (
            "create-upload-part-urls",
            "create-resumable-upload-url",
            "create-abort-upload-url",
            "create-download-url",
        )
    ),
]
