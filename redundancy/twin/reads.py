"""What a snapshot's lab will be, whether the present one can be replaced now, and what is kept of the one before."""

from collections.abc import Callable, Iterator

from django.conf import settings

from redundancy import bus
from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.cluster.lab_plan import Judge, Judged, Judges, Limits, Plan
from redundancy.cluster.planning import plan
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.models import (
    CollectionState,
    ImportState,
    LabCopy,
    LogCollection,
    MessageKind,
    NodeRuntime,
    PlannedRestart,
    SrmMessage,
    UserImport,
)
from redundancy.operations import rules
from redundancy.operations.users import checked_texts
from redundancy.parameters.writes import enterprise, parameters
from redundancy.srm.states import FAILOVER_IN_PROGRESS, FALLBACK_IN_PROGRESS
from redundancy.srm.words import listed, say

_REQUESTS = (
    MessageKind.FAILOVER,
    MessageKind.FALLBACK,
    MessageKind.RECOVER,
    MessageKind.SHUTDOWN,
)


def planned(snapshot: Snapshot) -> Plan:
    """Return the lab that a snapshot tells of, by the rules of this one."""
    return plan(snapshot, _judges(), Limits(settings.MAX_IMP_SERVERS, settings.MAX_GROUPS))


def kept_copy() -> LabCopy | None:
    """Return the lab before the present one, without its rows; None where none is kept."""
    return LabCopy.objects.defer("data").first()


def obstacles() -> Iterator[Refused]:
    """Yield everything that keeps the lab from being replaced now."""
    imports = UserImport.objects.filter(state__in=(ImportState.CHECKING, ImportState.IMPORTING))
    if (job := imports.first()) is not None:
        rule = say("An import of users is running ({file}).", file=job.file_name)
        yield Refused(rule, field="imports")
    collections = LogCollection.objects.filter(state=CollectionState.WORKING)
    if (logs := collections.first()) is not None:
        rule = say("Logs of {group} are being collected.", group=logs.group_name)
        yield Refused(rule, field="collections")
    if (restart := PlannedRestart.objects.filter(ended_at=None).first()) is not None:
        rule = say("A planned restart is under way ({subject}).", subject=restart.subject)
        yield Refused(rule, field="restarts")
    if played := _rehearsals():
        rule = say(
            "A rehearsal is played live ({file}): its servers are part of the lab until it ends.",
            file=played[0],
        )
        yield Refused(rule, field="rehearsals")
    moving = NodeRuntime.objects.filter(
        server__group__ha_enabled=True,
        server__machine__powered=True,
        server__machine__srm_running=True,
        state__in=FAILOVER_IN_PROGRESS | FALLBACK_IN_PROGRESS,
    )
    asked = SrmMessage.objects.filter(kind__in=_REQUESTS).order_by("node__name")
    names = {*moving.values_list("server__name", flat=True)[:4]}
    names |= {*asked.values_list("node__name", flat=True)[:4]}
    if names:
        rule = say("A failover or a fallback is under way: {nodes}.", nodes=listed(sorted(names)))
        yield Refused(rule, field="states")


def _rehearsals() -> list[str]:
    try:
        return bus.rehearsals()
    except bus.BusError:
        # Without the bus nothing is played.
        return []


def _judges() -> Judges:
    return Judges(
        server_name=_judge(rules.server_name),
        group_name=_judge(rules.group_name),
        version=_judge(rules.version),
        ipv4_address=_judge(rules.ipv4_address),
        domain=_judge(rules.domain),
        userid=_judge(lambda text: checked_texts(text, "", "a@b")["userid"]),
        im_address=_judge(lambda text: checked_texts("a", "", text)["im_address"]),
        parameter=_parameter,
        enterprise=_enterprise,
    )


def _judge(rule: Callable[[str], str | None]) -> Judge:
    def judged(text: str) -> Judged:
        try:
            return rule(text) or "", ""
        except Refused as refused:
            return "", refused.rule

    return judged


def _parameter(key: str, text: str) -> Judged:
    return _judge(lambda each: parameters.canonical(PARAMETER_BY_KEY[key], each))(text)


def _enterprise(key: str, text: str) -> Judged:
    refused = enterprise.judge(key, text)
    return (text, "") if refused is None else ("", refused.rule)
