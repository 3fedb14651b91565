"""What is asked before something is done, why it is refused, and what is said of it afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.catalog import DATABASE, PRESENCE_ENGINE, SRM, XCP_ROUTER
from redundancy.imports import writes as imports
from redundancy.models import Alarm, HaEvent, PresenceUser, Server
from redundancy.srm.words import Said
from tests.everypage import Furniture, furnish
from tests.language.marking import OPEN, marking, untranslated
from tests.language.names import proper_names


@dataclass(frozen=True)
class Deed:
    """Something asked of an address by its name: by GET with ``query``, or by POST with ``data``."""

    name: str
    args: tuple[Any, ...] = ()
    query: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] | None = None


def deeds(made: Furniture, job: int) -> Iterator[Deed]:
    """Yield what an administrator does to users, sessions, services, nodes and the Fault Lab, in order."""
    sub, pub, user = made.sub, made.pub, {"pk": [made.user]}
    for to in ("none", str(made.loose), "nobody"):
        yield Deed("user_assign", query={**user, "to": to})
        yield Deed("user_assign", data={**user, "to": to})
    yield Deed("user_spread", ("assign-all",))
    yield Deed("user_history", query={"userid": "0"})
    yield Deed("user_history", query={"userid": "user0001"})
    for at in ("2020-01-01 10:00", "2099-01-01 10:00", "today"):
        yield Deed("user_history", query={"userid": "user0001", "at": at})
    for act in ("out", "in"):
        for whom in ({"userid": "user0002"}, {"node": sub, "percent": 10}, {"userid": "0"}):
            yield Deed("session_sign", query={"act": act, **whom})
            yield Deed("session_sign", data={"act": act, **whom})
    yield Deed("session_sign", query={"act": "out", "node": sub, "percent": 101})
    yield Deed("session_sign", query={"act": "out"})
    yield Deed("user_import", data={})
    yield Deed("import_act", (job, "import"))
    yield Deed("import_act", (job, "cancel"))
    yield Deed("import_act", (job, "cancel"), data={})
    for act in ("import", "cancel"):
        yield Deed("import_act", (made.job, act), data={})
    yield Deed("planned_list", data={"server": "", "service": "Ping"})
    yield Deed("planned_list", data={"server": sub, "service": ""})
    for step in ("restart", "compare", "finish", "disable", "stop"):
        yield Deed("planned_step", (made.restart, step))
        yield Deed("planned_step", (made.restart, step), data={})
    yield Deed("planned_restart", (made.restart,))
    for act in ("power_on", "shut_down", "reboot", "power_off", "restart_srm"):
        for node in (sub, pub, made.loose):
            yield Deed("control_center_node", ("network", node), data={"action": act})
    yield Deed("control_center_service", ("network", sub), data={"action": "stop"})
    kinds = {XCP_ROUTER: "network", SRM: "network", DATABASE: "network", PRESENCE_ENGINE: "feature"}
    for act in ("stop", "restart", "start"):
        for service, kind in kinds.items():
            named = {"action": act, "service": service}
            yield Deed("control_center_service", (kind, sub), data=named)
            yield Deed("control_center_service", (kind, sub), data={**named, "choice": "continue"})
    for broken in (
        {"action": "cut", "sender": "both"},
        {"action": "delay", "seconds": "5"},
        {"action": "delay", "seconds": "-5"},
        {"action": "lose", "percent": "10"},
        {"action": "lose", "percent": "many"},
        {"action": "restore"},
        {"action": "move"},
        {"action": "hold"},
        {"action": "release"},
        {"action": "start", "node": sub},
        {"action": "pause", "seconds": "60"},
        {"action": "pause", "seconds": "nan"},
    ):
        yield Deed("fault_lab", data={"group": made.pair, **broken})
    yield Deed("fault_lab", data={"action": "move"})
    yield Deed("fault_lift", data={"fault": "all"})


def test_nothing_untranslated_is_said_of_what_is_done(db: None, settings: Settings) -> None:
    settings.FAULT_LAB = True
    made = furnish()
    Alarm.objects.all().delete()
    row = b"newcomer,New Comer,newcomer@example.com,imp-sub\n"
    job = imports.begin_import(name="users.csv", chunks=[row], actor="ann")
    while imports.work(job_id=job.pk, step=job.step) is not None:
        job.refresh_from_db()
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "pt-br"
    client.force_login(User.objects.create_superuser("ann"))
    names = proper_names()
    wrong: dict[str, str] = {}
    with marking():
        for deed in deeds(made, job.pk):
            path = reverse(deed.name, args=deed.args)
            if deed.data is None:
                answer = client.get(path, deed.query)
            else:
                answer = client.post(path, deed.data, follow=True)
            for text in untranslated(answer.content.decode(), names):
                wrong.setdefault(text, str(deed))
    assert wrong == {}
    # What is kept of a sentence are its parts: a name within it is a value.
    servers = set(Server.objects.values_list("name", flat=True))
    told = HaEvent.objects.values_list("sentence", flat=True)
    whole = [each for each in told if isinstance(each, Said) and not each.kept]
    assert not [each for each in whole if servers & {*each.rstrip(".").split()}]


def test_files_are_english_in_every_language(db: None) -> None:
    made = furnish()
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "pt-br"
    client.force_login(User.objects.create_superuser("ann"))
    user = {"userid": PresenceUser.objects.get(pk=made.user).userid}
    with marking():
        files = [
            client.get(reverse("import_problems", args=[made.job])),
            client.get(reverse("user_export_file")),
            *(client.get(reverse("user_history"), {**user, "format": f}) for f in ("csv", "json")),
        ]
    texts = [(each.getvalue() if each.streaming else each.content).decode() for each in files]
    assert "A line must have 3 or 4 fields; this one has 2 fields." in texts[0]
    assert all("assigned to imp-" in text for text in texts[2:])
    assert not [text for text in texts if OPEN in text]
