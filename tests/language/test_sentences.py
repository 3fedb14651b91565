"""Sentences are stored in English, and shown in the language of whoever reads."""

import pytest
from django.template import Context, Template
from django.utils import translation

from redundancy.models import EventKind, HaEvent
from redundancy.operations import events
from redundancy.srm.words import say, say_count
from tests.language.marking import marking

SENTENCE = "{moved:,} sessions were moved to {node}."


@pytest.fixture
def written(db: None) -> HaEvent:
    """An event that somebody caused who reads Portuguese, as it is read again."""
    with translation.override("pt-br"):
        said = say(SENTENCE, moved=1234, node="<cup1>")
        made = events.record(kind=EventKind.MOVE, sentence=said)
    return HaEvent.objects.get(pk=made.pk)


def test_it_is_stored_and_found_in_english(written: HaEvent) -> None:
    english = "1,234 sessions were moved to <cup1>."
    assert written.sentence == english
    assert HaEvent.objects.filter(sentence__english=english).exists()
    assert HaEvent.objects.filter(sentence__english__iendswith="TO <cup1>.").exists()
    # The names of its fields are no words of it.
    assert not HaEvent.objects.filter(sentence__english__icontains="node").exists()
    assert HaEvent.objects.values_list("sentence", flat=True).get() == english


def test_a_page_shows_it_in_the_readers_language_and_escaped(written: HaEvent) -> None:
    template = Template("{{ event.sentence }}")
    context = Context({"event": written})
    assert template.render(context) == "1,234 sessions were moved to &lt;cup1&gt;."
    with marking(), translation.override("pt-br"):
        shown = template.render(context)
    assert shown == "1.234\u27e6 sessions were moved to \u27e7&lt;cup1&gt;\u27e6.\u27e7"


def test_it_keeps_its_parts_when_it_is_saved_again(written: HaEvent) -> None:
    written.save()
    with translation.override("pt-br"):
        assert str(HaEvent.objects.get().sentence).startswith("1.234 ")


def test_a_count_follows_the_rule_of_the_language() -> None:
    users = [say_count("{count} user", "{count} users", n) for n in (0, 1, 2)]
    assert [str(each) for each in users] == ["0 users", "1 user", "2 users"]
