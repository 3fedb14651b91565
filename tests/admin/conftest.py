"""Members of staff, and a small cluster to administer."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoDbBlocker

from cucm_admin import urls  # noqa: F401 - with the addresses the tables are registered
from redundancy import trace_store
from redundancy.alarms.writes import save_channel
from redundancy.cluster.writes import keep
from redundancy.imports.writes import begin_import, work
from redundancy.models import (
    Alarm,
    AlarmNotice,
    ClientLogin,
    Fault,
    FaultKind,
    Forecast,
    HaEvent,
    Incident,
    LabClock,
    LabCopy,
    PresenceUser,
    RedundancyGroup,
    SharedSetting,
    SrmMessage,
)
from redundancy.operations import news
from redundancy.operations.ceilings import keep_ceiling
from redundancy.operations.functions import set_functions
from redundancy.operations.groups import disable_ha, enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.permissions import READ_ONLY, SUPER
from redundancy.planned import writes as planned
from redundancy.traces import writes as traces
from tests.cluster.inputs import HA_GUIDE, draft_of
from tests.kept import kept
from tests.watch.inputs import watched


def signed_in(role: str) -> Client:
    user = get_user_model().objects.create_user("ann", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def writer(db: None) -> Client:
    return signed_in(SUPER)


@pytest.fixture
def reader(db: None) -> Client:
    return signed_in(READ_ONLY)


def small_pair() -> RedundancyGroup:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("redundancy.operations.sample.USERS", 4)
        return load_sample_cluster(actor="tester")


@pytest.fixture
def pair(db: None) -> RedundancyGroup:
    return small_pair()


@pytest.fixture(scope="module")
def kept_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with kept(django_db_blocker):
        fill(small_pair())
        yield


@pytest.fixture
def rows(kept_rows: None, db: None) -> None:
    """At least one row in every table, made once: what a test changes is undone after it."""


def fill(pair: RedundancyGroup) -> None:
    set_parameter(key="automatic_fallback", value="true", actor="ann")
    set_parameter(key="relogin_upper", value="600", server=pair.servers.all()[0], actor="ann")
    set_enterprise_parameters(values={"assignment_mode": "None"}, actor="ann")
    set_functions(configured={"compliance": True}, actor="ann")
    job = begin_import(name="users.csv", chunks=[b"ann,,ann@x\nbob\n"], actor="ann")
    work(job_id=job.pk, step=0)
    enable_ha(group=pair, actor="ann")
    disable_ha(group=pair, actor="ann")
    enable_ha(group=pair, actor="ann")
    SrmMessage.objects.create(node=pair.servers.all()[0], kind="started")
    planned.begin(server=pair.servers.all()[0], service="", actor="ann")
    event = HaEvent.objects.latest("pk")
    Forecast.objects.create(
        event=event, moved=1, disconnected=1, peak=1, until_50=1, until_95=1, until_100=1
    )
    collection = traces.begin_collection(group=pair, since=0, until=1, actor="ann")
    traces.end_step(job=collection, file=b"x", last=False)
    trace_store.append({pair.servers.all()[0].pk: ["a line"]})
    channel = save_channel(
        channel=None, name="desk", url="json://127.0.0.1/x", enabled=True, actor="ann"
    )
    alarm = Alarm.objects.create(kind="ServerDown", subject="node 1", sentence="x", raised_at=1)
    AlarmNotice.objects.create(alarm=alarm, channel=channel, text="x")
    Fault.objects.create(kind=FaultKind.PAUSE, amount=1)
    event = HaEvent.objects.latest("pk")
    Incident.objects.create(cause="it broke", opened_at=event.at, first_event=event)
    LabClock.objects.create(real_at=1, lab_at=1, rate=60)
    keep(rows=draft_of(HA_GUIDE), actor="ann")
    watched(HA_GUIDE)
    SharedSetting.objects.create(name="MAX_GROUPS", value=3)
    LabCopy.objects.create(cause="replaced", servers=2, groups=1, users=4, form=1, data=b"x")
    ClientLogin.objects.create(user=PresenceUser.objects.latest("pk"), key_mark="x")
    news.count_looks(1)
    keep_ceiling(rate=40, seconds=10, clients=500, connections=4)
