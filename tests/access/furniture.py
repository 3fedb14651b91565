"""Rows behind every address: the sample cluster, with at least one row in every table."""

from collections.abc import Mapping
from typing import Any

from redundancy.alarms.writes import save_channel
from redundancy.models import (
    Alarm,
    AlarmNotice,
    ClientLogin,
    CollectionPiece,
    Fault,
    FaultKind,
    Forecast,
    HaEvent,
    ImportPiece,
    ImportRow,
    LabClock,
    LabCopy,
    LogCollection,
    PresenceUser,
    SessionMove,
    SharedSetting,
    SignIn,
    SrmMessage,
    TracePiece,
    UserImport,
)
from redundancy.operations import news
from redundancy.operations.ceilings import keep_ceiling
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from tests.everypage import Furniture, furnish

Arguments = Mapping[str, Mapping[str, Any]]


def furnish_all() -> Arguments:
    """Fill the database; return the arguments of every address of the site that takes some, by name."""
    made = furnish()
    _fill_the_rest(made)
    return arguments(made)


def _fill_the_rest(made: Furniture) -> None:
    event, job = HaEvent.objects.latest("pk"), UserImport.objects.get(pk=made.job)
    set_enterprise_parameters(values={"assignment_mode": "None"}, actor="ann")
    url = "json://127.0.0.1/x"
    channel = save_channel(channel=None, name="desk", url=url, enabled=False, actor="ann")
    alarm = Alarm.objects.create(kind="ServerDown", subject="x", sentence="x", raised_at=1)
    AlarmNotice.objects.create(alarm=alarm, channel=channel, text="x")
    ClientLogin.objects.create(user=PresenceUser.objects.latest("pk"), key_mark="x")
    news.count_looks(1)
    keep_ceiling(rate=40, seconds=10, clients=500, connections=4)
    Fault.objects.create(kind=FaultKind.PAUSE, amount=1)
    Forecast.objects.create(
        event=event, moved=1, disconnected=1, peak=1, until_50=1, until_95=1, until_100=1
    )
    LabClock.objects.create(real_at=1, lab_at=1, rate=1)
    LabCopy.objects.create(cause="x", servers=1, groups=1, users=1, form=1, data=b"x")
    SignIn.objects.create(username="ann", ok=True)
    SrmMessage.objects.create(node_id=made.pub, kind="started")
    SessionMove.objects.create(
        event=event, group_id=made.pair, epoch=1, at=1, moved=1, lower=1, upper=1
    )
    collection = LogCollection.objects.latest("pk")
    CollectionPiece.objects.create(job=collection, number=1, data=b"x")
    TracePiece.objects.create(node_id=made.pub, text="x", size=1)
    SharedSetting.objects.create(name="MAX_GROUPS", value="1")
    ImportPiece.objects.create(job=job, number=1, data=b"x")
    ImportRow.objects.create(job=job, line=1, userid="x", display_name="", im_address="x@x")


def arguments(made: Furniture) -> Arguments:
    """Return the arguments of every address of the site that takes some, by name."""
    collection = LogCollection.objects.latest("pk").pk
    service = {"kind": "feature", "pk": made.pub}
    by_key: dict[str, int] = {
        **dict.fromkeys(("server_edit", "start_login_services", "node_details"), made.pub),
        **dict.fromkeys(("srm_trace_download", "srm_trace_level"), made.pub),
        "server_delete": made.loose,
        **dict.fromkeys(("group_edit", "group_logins", "preflight", "must_match"), made.pair),
        **dict.fromkeys(("align", "login_profile", "timeline"), made.pair),
        **dict.fromkeys(("group_delete", "group_enable"), made.other),
        **dict.fromkeys(("import_job", "import_problems"), made.job),
        "event": made.event,
        "incident": made.incident,
        "planned_restart": made.restart,
        "log_collection_download": collection,
        **dict.fromkeys(
            ("cluster_snapshot", "cluster_snapshot_rest", "cluster_apply"), made.snapshot
        ),
        "cluster_snapshot_delete": made.snapshot,
        "cluster_watch_forget": made.watch,
    }
    pages = ("service_parameters", "service_parameter_help", "parameters_all")
    application = {"application": "ccmadmin"}
    return {
        **{name: {"pk": pk} for name, pk in by_key.items()},
        **dict.fromkeys((*pages, "parameters_modified"), application),
        "functions": {"page": "compliance"},
        "epas_version": {"version": "v105"},
        "epas_node": {"node": "imp-pub"},
        "epas_node_version": {"node": "imp-pub", "version": "latest"},
        "cluster_reading": {"batch": made.batch},
        "user_spread": {"how": "rebalance"},
        "control_center": {"kind": "feature"},
        "control_center_service": service,
        "control_center_node": service,
        "group_action": {"pk": made.pair, "node": made.sub, "action": "failover"},
        "planned_step": {"pk": made.restart, "step": "stop"},
        "import_act": {"pk": made.job, "act": "cancel"},
        "admin:app_list": {"app_label": "redundancy"},
        "admin:view_on_site": {"content_type_id": 1, "object_id": 1},
    }
