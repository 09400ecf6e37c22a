"""A value is taken out of a stream however the stream is cut."""

import random

import pytest

from emulator.redaction import Redactor

VALUES = [b"secret", b"secret-and-more", b"aab", b"ab", b"multi\nline", b""]


def through(values: list[bytes], pieces: list[bytes]) -> bytes:
    redactor = Redactor(values)
    return b"".join([*(redactor.feed(piece) for piece in pieces), redactor.rest()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"a secret, a secret-and-more", b"a [REDACTED], a [REDACTED]"),
        (b"aaab aab ab", b"a[REDACTED] [REDACTED] [REDACTED]"),
        (b"secre secret-and-mor", b"secre [REDACTED]-and-mor"),
        (b"multi\nlin multi\nline", b"multi\nlin [REDACTED]"),
        (b"", b""),
    ],
)
def test_wherever_it_is_cut(text: bytes, shown: bytes) -> None:
    assert through(VALUES, [text]) == shown
    assert through(VALUES, [text[at : at + 1] for at in range(len(text))]) == shown
    for at in range(len(text)):
        assert through(VALUES, [text[:at], text[at:]]) == shown


def test_no_value_ever_comes_through() -> None:
    draw = random.Random(1)
    for _ in range(300):
        values = [bytes(draw.choices(b"ab", k=draw.randint(1, 4))) for _ in range(3)]
        text = bytes(draw.choices(b"abc", k=40))
        cuts = sorted(draw.choices(range(41), k=4))
        pieces = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, 40], strict=True)]
        shown = through(values, pieces)
        assert not any(value in part for value in values for part in shown.split(b"[REDACTED]"))


def test_what_is_no_beginning_of_a_value_is_shown_at_once() -> None:
    redactor = Redactor([b"secret"])
    assert redactor.feed(b"line\nsec") == b"line\n"
    assert redactor.feed(b"ond\n") == b"second\n"
