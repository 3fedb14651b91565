"""The catalogue of translations: whole, true to the source, and compiled."""

import re
import shutil
import string
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from pytest_django.fixtures import Settings

FOLDER = Path(settings.LOCALE_PATHS[0])
PO = Path("pt_BR", "LC_MESSAGES", "django.po")
OLD_STYLE = re.compile(r"%\(\w+\)s|%s|%d")


def catalogue(folder: Path = FOLDER) -> Catalog:
    with (folder / PO).open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The forms of a message in English, and those of its translation."""
    return _forms(message.id), _forms(message.string)


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (str(text),)


def messages(found: Catalog) -> list[Message]:
    return [message for message in found if message.id]


def fields(text: str) -> set[str]:
    """Every field of a text, with its format; of a count, one thing needs none."""
    braces = {
        name if name == "count" else f"{name}:{spec}"
        for _, name, spec, _ in string.Formatter().parse(text)
        if name is not None
    }
    return braces | set(OLD_STYLE.findall(text))


def test_every_text_is_translated() -> None:
    missing = [message.id for message in messages(catalogue()) if not all(texts(message)[1])]
    assert missing == []


def test_no_translation_is_a_guess() -> None:
    assert [message.id for message in messages(catalogue()) if message.fuzzy] == []


def test_a_translation_has_the_fields_of_its_text() -> None:
    wrong = []
    for message in messages(catalogue()):
        source, target = texts(message)
        # Of one thing a text may say the figure or not.
        known = {"count"}.union(*map(fields, source))
        for english, translated in zip(source, target, strict=True):
            if fields(english) - fields(translated) or fields(translated) - known:
                wrong.append((english, translated))
    assert wrong == []


def test_a_translation_begins_and_ends_as_its_text() -> None:
    """A full stop, a question mark or a space that got lost would show where sentences meet."""
    wrong = []
    for message in messages(catalogue()):
        for source, target in zip(*texts(message), strict=True):
            for end in (0, -1):
                ends = source[end], target[end]
                if any(sign in ".?! \n" for sign in ends) and ends[0] != ends[1]:
                    wrong.append((source, target))
    assert wrong == []


# Capitals within a sentence: the vendor's feature, and what its buttons do, as they are called there.
NAMES = ("Alta Disponibilidade", "Failover", "Fallback", "Recover")
CAPITAL = re.compile(r"\b[A-ZÀ-Ú][\w-]*[a-zà-ú][\w-]*")
# A sentence begins here; ``why`` is one.
BEGINNING = re.compile(r"(?:^|[.?!:] |[\n>“]|%\(why\)s )$")
NESTED = re.compile(r"\([^()]*\([^()]*\)")


def stray_capitals(message: Message, labels: list[str]) -> list[str]:
    """The capitalised words of a translation that neither begin a sentence nor belong to a name."""
    source, target = texts(message)
    kept = set(re.findall(r"[\w-]+", " ".join(source)))
    wrong = []
    for text in target:
        for word in CAPITAL.finditer(text):
            before, rest = text[: word.start()], text[word.start() :]
            if BEGINNING.search(before) or before.endswith("Alta "):
                continue
            if word[0] in kept or rest.startswith(NAMES):
                continue
            # A label is named as it stands on the page, but no label is made of another one.
            made_of = re.search(r"\bd[eao]s? $", before)
            named = (
                rest.startswith(each) and not rest[len(each) :][:1].isalnum() for each in labels
            )
            if made_of or not any(named):
                wrong.append(f"{word[0]}: {text}")
    return wrong


def labels(found: list[Message]) -> list[str]:
    every = (text for message in found for text in texts(message)[1])
    return [text for text in every if text and text[0].isupper() and not set(text) & set(".?!{%")]


def test_our_own_labels_and_sentences_are_in_sentence_case() -> None:
    found = messages(catalogue())
    known = labels(found)
    assert [each for message in found for each in stray_capitals(message, known)] == []
    # What the rule would find.
    for text in ("Trilha de Auditoria", "Histórico de Eventos de HA", "O serviço está Quebrado."):
        assert stray_capitals(Message("x", text), [*known, "Eventos", "Auditoria"])


def test_no_translation_has_brackets_within_brackets() -> None:
    every = [text for message in messages(catalogue()) for text in texts(message)[1]]
    assert [text for text in every if NESTED.search(OLD_STYLE.sub("", text))] == []


# What new users stumbled over: words of the code, English that reads as a fact, Portuguese of no administrator.
WRONG = re.compile(
    r"\b(?:epoch|to mend|nobody has said|of them on another server|a day can be played)\b", re.I
)
WRONG_THERE = re.compile(
    r"\b(?:época|timeline|entraram|entradas|usuários-minuto|constatado|dos quais em outro servidor|levou"
    r"|ninguém pôde ver|failover afetou serviços|tantos conectados quanto)\b|\(em failover\)|encerrado; era",
    re.I,
)
FIELD = re.compile(r"\{[^{}]*\}|%\(\w+\)s")


def test_no_text_has_the_words_that_misled() -> None:
    for wrong, side in ((WRONG, 0), (WRONG_THERE, 1)):
        every = [text for message in messages(catalogue()) for text in texts(message)[side]]
        assert [text for text in every if wrong.search(FIELD.sub("", text))] == []
    # What the rules would find.
    assert WRONG.search("epoch 1")
    assert WRONG_THERE.search("Failing Over (em failover)")


def test_it_is_compiled() -> None:
    with (FOLDER / PO.with_suffix(".mo")).open("rb") as file:
        compiled = read_mo(file)
    expected = {texts(message)[0]: texts(message)[1] for message in messages(catalogue())}
    assert {texts(m)[0]: texts(m)[1] for m in messages(compiled)} == expected, "run `make messages`"


@pytest.mark.process
@pytest.mark.skipif(not shutil.which("xgettext"), reason="xgettext (gettext) is not installed")
def test_it_has_every_text_of_the_source_and_no_other(tmp_path: Path, settings: Settings) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    settings.LOCALE_PATHS = [tmp_path]
    call_command("makemessages", locale=["pt_BR"], verbosity=0)
    made = {texts(message)[0] for message in messages(catalogue(tmp_path))}
    assert made == {texts(message)[0] for message in messages(catalogue())}, "run `make messages`"
