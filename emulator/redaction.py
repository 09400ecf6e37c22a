"""Keeps secrets out of what tasks print. Owns nothing but the text that may be the beginning of one."""

import re
from collections.abc import Iterable

REDACTED = b"[REDACTED]"


class Redactor:
    """Replaces values in a stream, wherever its pieces are cut; only the values themselves, as the platform does."""

    def __init__(self, values: Iterable[bytes]) -> None:
        # Where one value begins another, the longer one is meant.
        self._values = sorted({value for value in values if value}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._values)))
        self._kept = b""

    def feed(self, piece: bytes) -> bytes:
        """What can be shown by now: all but an end that a value may begin with."""
        text = self._kept + piece
        if not self._values:
            return text
        shown, at, end = b"", 0, self._unfinished(text)
        for match in self._pattern.finditer(text):
            if match.start() >= end:
                break
            shown += text[at : match.start()] + REDACTED
            at = match.end()
        end = max(at, end)
        self._kept = text[end:]
        return shown + text[at:end]

    def rest(self) -> bytes:
        """What was kept back and turned out to be no value, at the end of the stream."""
        kept, self._kept = self._kept, b""
        return self._pattern.sub(REDACTED, kept) if self._values else kept

    def _unfinished(self, text: bytes) -> int:
        """Where the first value begins that the end of the text may be a part of."""
        first = len(text)
        for value in self._values:
            at = text.find(value[:1], max(0, len(text) - len(value) + 1))
            while at != -1 and not value.startswith(text[at:]):
                at = text.find(value[:1], at + 1)
            if at != -1:
                first = min(first, at)
        return first
