"""Every page of the product, in one place: for checks that each of them must pass.

A page that is missing here fails ``test_every_address_is_listed``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation
from django.utils.http import urlencode

from redundancy import trace_store
from redundancy.alarms import writes as alarms
from redundancy.catalog import PRESENCE_ENGINE, TEXT_CONFERENCE_MANAGER, XCP_ROUTER
from redundancy.cluster import writes as clusters
from redundancy.imports import writes as imports
from redundancy.models import EventKind, HaEvent, Incident, PresenceUser, Server
from redundancy.operations import events, groups, incidents, power
from redundancy.operations.activation import set_activated
from redundancy.operations.functions import set_functions
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.parameters.writes import parameters
from redundancy.planned import writes as planned
from redundancy.srm.states import Reason, State
from redundancy.traces import writes as traces
from tests.cluster.inputs import CLUSTER, draft_of
from tests.watch.inputs import watched


@dataclass(frozen=True)
class Address:
    """An address by its name. ``data``: what is posted to it, None to get it. ``status``: its answer's."""

    name: str
    args: tuple[Any, ...] = ()
    query: dict[str, Any] = field(default_factory=dict)
    data: dict[str, str] | None = None
    status: int = 200
    signed_in: bool = True

    @property
    def path(self) -> str:
        """Return it as an address."""
        query = f"?{urlencode(self.query, doseq=True)}" if self.query else ""
        return f"{reverse(self.name, args=self.args)}{query}"


# Addresses that show no page of their own: they write, answer with a file or a part of a page, or go on.
NOT_PAGES = {
    "favicon",
    "go",
    "load_sample",
    "logout",
    "healthz",
    "metrics",
    "readyz",
    "alarm_acknowledge",
    "alarm_banner",
    "control_center_node",
    "fault_banner",
    "fault_lift",
    "import_act",
    "import_problems",
    "log_collection_download",
    "planned_step",
    "session_sign",
    "session_seconds",
    "set_language",
    "srm_trace_download",
    "stay_signed_in",
    "srm_trace_level",
    "user_export_file",
    # For programs.
    "axl",
    "axl_bare",
    "control_center_services",
    "control_center_services_ex",
    "control_center_services_port",
    "epas",
    "epas_version",
    "epas_node",
    "epas_node_version",
}


@dataclass(frozen=True)
class Furniture:
    """The keys of what ``furnish`` has made."""

    pub: int
    sub: int
    loose: int
    cucm: int
    pair: int
    other: int
    restart: int
    job: int
    user: int
    event: int
    incident: int
    snapshot: int
    draft: int
    watch: int
    batch: str


def furnish() -> Furniture:
    """Fill the database with something for every page to show: a pair that failed, one without HA."""
    pair = load_sample_cluster(actor="ann")
    pub, sub = Server.objects.order_by("name")
    one, two, loose = (
        add_server(name=name, server_type="imp", actor="ann") for name in ("one", "two", "loose")
    )
    cucm = add_server(name="cucm", server_type="cucm", actor="ann")
    other = groups.add_group(name="Other", first=one, second=two, actor="ann")
    set_functions(configured={"persistent_chat": True}, actor="ann")
    for server in (pub, one):
        name = TEXT_CONFERENCE_MANAGER
        set_activated(server=server, name=name, activated=True, actor="ann")
    groups.enable_ha(group=pair, actor="ann")
    parameters.set_parameters(values={"heartbeat_timeout": "90"}, server=None, actor="ann")
    parameters.set_parameters(values={"relogin_lower": "60"}, server=sub, actor="ann")
    restart = planned.begin(server=one, service=XCP_ROUTER, actor="ann")
    job = imports.begin_import(name="users.csv", chunks=[b"userid,home\n,nowhere\n"], actor="ann")
    step: int | None = 0
    while step is not None:
        step = imports.work(job_id=job.pk, step=step)
    traces.begin_collection(group=pair, since=1, until=3600, actor="ann")
    power.power_off(server=pub, actor="ann")
    trace_store.append({pub.pk: ["a line", "another one"]})
    change = events.record(
        kind=EventKind.STATE,
        sentence="Its peer is silent.",
        node=Server.objects.select_related("group").get(pk=sub.pk),
        old_state=State.NORMAL,
        new_state=State.TAKING_OVER,
        new_reason=Reason.PEER_DOWN,
        epoch=1,
    )
    # As a step's events are stored.
    with transaction.atomic():
        incidents.follow([change])
    incident = Incident.objects.get()
    alarms.reconcile()
    (snapshot,) = clusters.keep(rows=draft_of(CLUSTER, "Lisbon"), note="ann", actor="ann")
    (draft,) = draft_of(CLUSTER)
    watch = watched(CLUSTER)
    event, user = HaEvent.objects.first(), PresenceUser.objects.first()
    assert event is not None
    assert user is not None
    return Furniture(
        pub=pub.pk,
        sub=sub.pk,
        loose=loose.pk,
        cucm=cucm.pk,
        pair=pair.pk,
        other=other.pk,
        restart=restart.pk,
        job=job.pk,
        user=user.pk,
        event=event.pk,
        incident=incident.pk,
        snapshot=snapshot.pk,
        draft=draft.pk,
        watch=watch.pk,
        batch=draft.batch,
    )


def every_page(made: Furniture) -> list[Address]:
    """Return every page, and those that a form is refused on."""
    pub, pair = made.pub, made.pair
    return [
        Address("login", signed_in=False),
        Address("login", data={"username": "", "password": ""}, signed_in=False),
        Address("password_change"),
        Address("password_change", data={"old_password": ""}, status=422),
        Address("home"),
        Address("about"),
        Address("server_list"),
        Address("server_list", query={"field": "name", "op": "begins", "text": "nobody"}),
        Address("server_add"),
        Address("server_add", query={"type": "imp"}),
        Address("server_add", query={"type": "cucm"}),
        Address("server_add", data={"type": "imp", "name": ""}, status=422),
        Address("server_edit", (pub,)),
        Address("server_edit", (made.cucm,)),
        Address("server_delete", (made.loose,)),
        Address("server_delete_selected", query={"pk": [made.loose, made.cucm]}),
        Address("group_list"),
        Address("group_add"),
        Address("group_add", data={"name": "", "description": "<"}, status=422),
        Address("group_edit", (pair,)),
        Address("group_edit", (made.other,)),
        Address("group_delete", (made.other,)),
        Address("group_delete_selected", query={"pk": [made.other]}),
        Address("group_logins", (pair,)),
        Address("start_login_services", (made.sub,)),
        Address("group_enable", (made.other,)),
        Address("group_action", (pair, made.sub, "failover"), status=409),
        Address("preflight", (made.other,)),
        Address("must_match", (pair,)),
        Address("align", (pair,), {"source": pub}),
        Address("login_profile", (pair,)),
        Address("enterprise_parameters"),
        Address("service_parameters", ("ccmadmin",)),
        Address("service_parameters", ("cupadmin",), {"server": pub}),
        Address("service_parameter_help", ("ccmadmin",)),
        Address("parameters_all", ("ccmadmin",)),
        Address("parameters_modified", ("cupadmin",)),
        Address("user_list"),
        Address("user_assign", query={"pk": [made.user]}),
        Address("user_spread", ("rebalance",)),
        Address("user_history"),
        Address("user_import"),
        Address("user_export"),
        Address("import_jobs"),
        Address("import_job", (made.job,)),
        Address("cluster_import"),
        Address("cluster_import", data={"pasted": "ann"}, status=422),
        Address("cluster_import", data={"host": "a/b", "user": "ann"}, status=422),
        Address("cluster_reading", (made.batch,)),
        Address("cluster_snapshots"),
        Address("cluster_snapshot", (made.snapshot,)),
        Address("cluster_snapshot", (made.draft,)),
        Address("cluster_snapshot", (made.snapshot,), data={"name": ""}, status=422),
        Address("cluster_snapshot_rest", (made.snapshot,)),
        Address("cluster_snapshot_delete", (made.snapshot,)),
        Address("cluster_snapshot_delete_selected", query={"pk": [made.snapshot]}),
        Address("cluster_apply", (made.snapshot,)),
        Address("cluster_undo", status=409),
        Address("cluster_watch"),
        Address("cluster_watch_forget", (made.watch,)),
        Address("cluster_compare"),
        Address("cluster_compare", query={"before": made.snapshot, "after": "lab"}),
        Address("session_list"),
        Address("topology"),
        Address("topology", query={"view": "grid"}),
        Address("topology", query={"name": "nobody"}),
        Address("node_details", (pub,)),
        Address("node_details", (made.loose,)),
        Address("event_history"),
        Address("event", (made.event,)),
        Address("timeline", (pair,)),
        Address("incident_list"),
        Address("incident", (made.incident,)),
        Address("audit_trail"),
        Address("beat_monitor"),
        Address("control_center", ("feature",)),
        Address("control_center", ("feature",), {"server": made.sub}),
        Address("control_center", ("network",), {"server": pub}),
        Address(
            "control_center_service",
            ("network", made.sub),
            data={"action": "stop", "service": XCP_ROUTER},
        ),
        Address("service_activation"),
        Address("service_activation", query={"server": made.loose, "fill": "all"}),
        Address("service_activation", query={"server": pub}),
        Address(
            "service_activation",
            query={"server": made.sub},
            data={"seen": PRESENCE_ENGINE},
            status=409,
        ),
        Address("functions", ("compliance",)),
        Address("functions", ("persistent-chat",)),
        Address("functions", ("federation",)),
        Address("functions", ("compliance",), data={"seen": "", "function": "7"}, status=422),
        Address("planned_list"),
        Address("planned_restart", (made.restart,)),
        Address("srm_trace"),
        Address("srm_trace", query={"server": pub}),
        Address("log_collection"),
        Address("log_collection", query={"incident": made.incident}),
        Address("alarm_list"),
        Address("fault_lab"),
        Address("group_edit", (10**9,), status=404),
    ]


@dataclass(frozen=True)
class Rendered:
    """A page as the server has answered it."""

    address: Address
    html: str

    def __str__(self) -> str:
        sent = " with a refused form" if self.address.data is not None else ""
        return f"{self.address.path}{sent}"


def rendered(language: str = "en") -> list[Rendered]:
    """Furnish the database, and return every page as an administrator gets it in ``language``."""
    made = furnish()
    client, nobody = Client(), Client()
    for each in (client, nobody):
        each.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    client.force_login(User.objects.create_superuser("ann"))
    found, unexpected = [], []
    for address in every_page(made):
        by = client if address.signed_in else nobody
        # The language of a request stays active: what comes after must not be in it.
        with translation.override(language):
            answer = (
                by.get(address.path)
                if address.data is None
                else by.post(address.path, address.data)
            )
        if answer.status_code != address.status:
            unexpected.append((address.path, answer.status_code))
        found.append(Rendered(address, answer.content.decode()))
    assert not unexpected, unexpected
    return found


def named_addresses() -> set[str]:
    """Return the names of all addresses but those of the Django administration."""
    return set(_names(get_resolver().url_patterns))


def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from _names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name
