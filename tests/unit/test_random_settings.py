"""Whatever a stack file says, it is loaded, or refused in words that name the key, help and give no secret away."""

import pytest
from hypothesis import Phase, given, settings, strategies

from components.settings import Settings
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from tests.random_mistakes import Mistake, anything_anywhere, misspelt_keys, numbers_out_of_range, wrong_types
from tests.random_settings import HIDDEN, Entries, configuration, stack_files
from tests.unit.settings_cases import ENVIRON, STACK

# Folders of other tests may be cleaned up while these run.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
many = settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])


def loaded(config: dict[str, str], secret_keys: frozenset[str]) -> Settings:
    return load_settings(stack=STACK, config=config, secret_keys=secret_keys, environ=ENVIRON)


def loads_or_helps(config: dict[str, str], secret_keys: frozenset[str]) -> None:
    try:
        loaded(config, secret_keys)
    except SettingsError as error:
        helps(error)


def refused(entries: Entries) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        loaded(*configuration(entries))
    return helps(caught.value)


def helps(error: SettingsError) -> SettingsError:
    assert str(error).startswith(f"the settings of stack `{STACK}` have ")
    assert all(problem.key and problem.what and problem.mend for problem in error.problems)
    assert HIDDEN not in str(error)
    return error


@many
@given(stack_files())
def test_what_the_models_allow_is_loaded_or_refused_in_words(entries: Entries) -> None:
    loads_or_helps(*configuration(entries))


@many
@given(anything_anywhere())
def test_any_value_anywhere_is_loaded_or_refused_in_words(mistake: Mistake) -> None:
    loads_or_helps(*configuration(mistake.entries))


@many
@given(misspelt_keys())
def test_a_misspelt_key_is_named(mistake: Mistake) -> None:
    problems = {problem.key: problem for problem in refused(mistake.entries).problems}
    assert problems[mistake.key].what == "is not a setting"
    assert problems[mistake.key].why


@many
@given(wrong_types())
def test_a_value_of_a_wrong_type_is_named_by_its_key(mistake: Mistake) -> None:
    assert any(f"{mistake.key}.".startswith(f"{key}.") or key.startswith(mistake.key) for key in keys(mistake))


@many
@given(numbers_out_of_range())
def test_a_number_out_of_range_is_named_by_its_key(mistake: Mistake) -> None:
    assert mistake.key in keys(mistake)


def keys(mistake: Mistake) -> list[str]:
    return [problem.key for problem in refused(mistake.entries).problems]


@many
@given(stack_files(), strategies.data())
def test_text_that_was_cut_off_is_refused_in_words(entries: Entries, data: strategies.DataObject) -> None:
    config, secret_keys = configuration(entries)
    key = data.draw(strategies.sampled_from(sorted(key for key, text in config.items() if text.startswith("{"))))
    config[key] = config[key][: data.draw(strategies.integers(1, len(config[key]) - 1))]
    loads_or_helps(config, secret_keys)
