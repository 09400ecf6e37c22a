"""A mark is found again as it was written, whatever stands before it, and nothing else is taken for one."""

import re

import pytest

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.mark import Stamped, foreign, new_token, parsed

MARK = "fiftyone-databricks/dev/gpu"
TOKEN = "0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GPUs of the vision team",
        "two\nlines",
        "[in brackets]",
        "a # b",
        "[pulumi-stack: other/dev/gpu #ab]",
        "é 😀",
    ],
)
@pytest.mark.parametrize("token", ["", TOKEN])
def test_what_is_written_is_what_is_read(text: str, token: str) -> None:
    stamped = Stamped(text=text, mark=MARK, token=token)
    assert parsed(str(stamped)) == stamped


def test_a_description_on_the_server_has_the_form_that_people_are_told() -> None:
    assert str(Stamped(text="text", mark=MARK, token=TOKEN)) == f"text [pulumi-stack: {MARK} #{TOKEN}]"
    assert str(Stamped(text="text", mark=MARK)) == f"text [pulumi-stack: {MARK}]"
    assert str(Stamped(text="", mark=MARK)) == f"[pulumi-stack: {MARK}]"
    assert str(Stamped(text="text")) == "text"


@pytest.mark.parametrize(
    "around", ["text[pulumi-stack: {}]", "text  [pulumi-stack: {}]\n", "text\n[pulumi-stack: {}] "]
)
def test_space_around_a_mark_that_a_person_wrote_does_not_matter(around: str) -> None:
    assert parsed(around.format(MARK)) == Stamped(text="text", mark=MARK)


@pytest.mark.parametrize(
    "description",
    [
        "",
        "text",
        f"text [pulumi-stack: {MARK}] and more",
        f"text [pulumi-stack: {MARK} #{TOKEN}",
        f"text [pulumi-stack {MARK}]",
        f"text [Pulumi-Stack: {MARK}]",
        "text [pulumi-stack: ]",
        "text [pulumi-stack: two words]",
        f"text [pulumi-stack: {MARK} #]",
        f"text [pulumi-stack: {MARK} #not-a-token]",
    ],
)
def test_what_is_no_mark_at_the_end_is_text_and_nobodys(description: str) -> None:
    assert parsed(description) == Stamped(text=description)


def test_no_description_is_nobodys() -> None:
    assert parsed(None) == Stamped(text="")


def test_a_mark_is_one_stacks_and_one_orchestrators() -> None:
    assert len({parsed(f"[pulumi-stack: {mark}]").mark for mark in ("a/dev/gpu", "a/dev/gp", "a/prod/gpu")}) == 3


def test_each_write_draws_a_token_that_is_found_again() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    for token in tokens:
        assert re.fullmatch("[0-9a-f]{12}", token)
        assert parsed(str(Stamped(text="", mark=MARK, token=token))).token == token


def test_what_is_anothers_is_named_with_the_mark_that_it_lacks_and_what_to_do() -> None:
    error = foreign("a secret KEY", MARK, adopt="Delete it.")
    assert isinstance(error, FiftyOneError)
    assert not error.again
    assert str(error).startswith(f"FiftyOne has a secret KEY already, without the mark of this stack ({MARK})")
    assert str(error).endswith("Delete it.")
