import copy
import pickle
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from redundancy.srm import words
from redundancy.srm.words import (
    BEHIND,
    Said,
    duration,
    from_text,
    listed,
    say,
    say_count,
    say_row,
    to_text,
    together,
)


@pytest.fixture
def german() -> Iterator[None]:
    """A voice of a language that nobody translates this into, with two words of it."""
    known = {"{node} is silent.": "{node} schweigt.", "{names} and {last}": "{names} und {last}"}

    def voice(template: str, plural: str | None, values: Mapping[str, Any]) -> str:
        chosen = template if plural is None or values["count"] == 1 else plural
        text = known.get(chosen, chosen)
        return text.format(**values) if values else text

    before = words._voice
    words.speak_with(voice)
    yield
    words._voice = before


SAID = [
    say("Nothing to do."),
    say("{node} is silent.", node="cup1"),
    say("{moved:,} sessions, {share:.1f} %", moved=12345, share=99.5),
    say_count("{count} user", "{count} users", 1),
    say_count("{count} user", "{count} users", 2),
    say("Refused: {sentence}", sentence=say("{node} is silent.", node="cup1")),
    together([say("{node} is silent.", node="cup1"), "", say("Nothing to do.")]),
    listed(["a", "b", "c"]),
    say("Refused: {why}", why=say_count("{count} user waits.", "{count} users wait.", 2)),
    say("Refused: {why}", why=say_count("{count} user waits.", "{count} users wait.", 1)),
    say("braces {{ }} and {value}", value="{x}"),
]


@pytest.mark.parametrize("sentence", SAID)
def test_a_sentence_is_the_same_after_it_was_kept(sentence: str, german: None) -> None:
    again = from_text(to_text(sentence))
    assert again == sentence
    assert str(again) == str(sentence)
    assert isinstance(sentence, Said)
    # The sentences in it are the same, too.
    assert again.parts == sentence.parts
    assert to_text(again) == to_text(sentence)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
@pytest.mark.parametrize("sentence", SAID)
def test_a_copy_is_shown_as_what_it_was_copied_from(
    sentence: str, copied: Any, german: None
) -> None:
    assert str(copied(sentence)) == str(sentence)


def test_its_characters_stay_english_whatever_is_spoken(german: None) -> None:
    sentence = say("{node} is silent.", node="cup1")
    assert sentence == "cup1 is silent."
    assert str(sentence) == f"{sentence}" == "cup1 schweigt."
    assert to_text(sentence).startswith("cup1 is silent.")
    # What was made while it is spoken is kept in English, too.
    assert say("Refused: {sentence}", sentence=sentence) == "Refused: cup1 is silent."


def test_a_sentence_in_a_sentence_is_translated_with_it(german: None) -> None:
    sentence = say("{node} is silent.", node=listed(["cup1", "cup2"]))
    assert str(sentence) == "cup1 und cup2 schweigt."
    assert str(from_text(to_text(sentence))) == "cup1 und cup2 schweigt."
    assert str(listed([say("{node} is silent.", node="cup1")])) == "cup1 schweigt."


def test_a_text_without_parts_is_its_own_template(german: None) -> None:
    assert str(from_text("cup1 is silent.")) == "cup1 is silent."
    assert to_text("plain") == "plain"
    assert to_text(say("Nothing to do.")) == "Nothing to do."


def test_a_row_of_a_table_keeps_the_fields_it_names() -> None:
    sentence = say_row("{peer} is gone.", {"peer": "cup2", "unheard": "3 s"})
    assert isinstance(sentence, Said)
    assert sentence.parts == ("{peer} is gone.", None, {"peer": "cup2"})


def test_a_count_chooses_its_words() -> None:
    assert say_count("{count} user", "{count} users", 1) == "1 user"
    assert say_count("{count} user", "{count} users", 0) == "0 users"


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")],
)
def test_names_are_listed_as_a_sentence_does(names: list[str], text: str) -> None:
    assert listed(names) == text


@pytest.mark.parametrize("name", [BEHIND, f"cup{BEHIND}1", f"{BEHIND}[1]"])
def test_a_name_may_have_any_sign(german: None, name: str) -> None:
    kept = to_text(say("{node} is silent.", node=name))
    assert str(from_text(kept)) == f"{name} schweigt."
    assert from_text(kept) == f"{name.replace(BEHIND, ' ')} is silent."
    assert str(from_text(to_text(name))) == name.replace(BEHIND, " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-3, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (761, "12 min 41 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7325, "2 h 2 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_value_that_is_no_text_is_kept_as_it_is_said() -> None:
    sentence = say("{day} is over.", day=date(2026, 1, 2))
    assert from_text(to_text(sentence)) == "2026-01-02 is over."
    assert str(from_text(to_text(sentence))) == "2026-01-02 is over."
