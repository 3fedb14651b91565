"""Which tables are the lab, and which rows of others refer to it."""

from django.db import connection
from django.db.models import ForeignKey, Model

from redundancy.models import (
    Alarm,
    ClientLogin,
    ConfiguredFunction,
    EnterpriseParameter,
    Fault,
    Forecast,
    HaEvent,
    Incident,
    LogCollection,
    Machine,
    NodeRuntime,
    NodeService,
    PlannedRestart,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    Server,
    ServiceParameter,
    SessionMove,
    SrmMessage,
    TracePiece,
    UserRecord,
)

# The lab itself, in an order in which its rows can be made.
LAB: tuple[type[Model], ...] = (
    RedundancyGroup,
    Server,
    Machine,
    NodeService,
    NodeRuntime,
    SrmMessage,
    ServiceParameter,
    EnterpriseParameter,
    ConfiguredFunction,
    ReloginLimits,
    Fault,
    PresenceUser,
    PresenceSession,
    ClientLogin,
)
# What stays when the lab is another one, and refers to nothing then: the names in it outlive the rows.
REFERRING: tuple[tuple[type[Model], str], ...] = (
    (HaEvent, "group"),
    (HaEvent, "node"),
    (SessionMove, "group"),
    (SessionMove, "holder"),
    (SessionMove, "first"),
    (SessionMove, "second"),
    (Incident, "group"),
    (Forecast, "group"),
    (Alarm, "group"),
    (PlannedRestart, "server"),
    (LogCollection, "group"),
    (UserRecord, "node"),
)
# Refers without a constraint, and is let go of with the copy of the lab whose nodes they are.
TRACES = TracePiece


def reference(model: type[Model], name: str) -> "ForeignKey[Model, Model]":
    """Return the field of this name."""
    field = model._meta.get_field(name)
    assert isinstance(field, ForeignKey)
    return field


def clear() -> None:
    """Delete the lab, in a few statements, whatever it holds. What refers to it does so no longer."""
    for model, name in REFERRING:
        rows = model._default_manager.exclude(**{name: None})
        rows.order_by().update(**{name: None})
    with connection.cursor() as cursor:
        for model in reversed(LAB):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


def forget_traces() -> None:
    """Delete the traces of nodes that are neither in the lab nor in the copy of one."""
    TRACES.objects.exclude(node__in=Server.objects.order_by().values("pk")).delete()
