"""The tables."""

from redundancy.models.alarm import Alarm, AlarmChannel, AlarmKind, AlarmNotice
from redundancy.models.collection import CollectionState, LogCollection
from redundancy.models.event import EventKind, HaEvent, RequestKind
from redundancy.models.fault import Fault, FaultKind
from redundancy.models.forecast import Forecast
from redundancy.models.group import RedundancyGroup
from redundancy.models.imports import (
    ImportPiece,
    ImportProblem,
    ImportRow,
    ImportState,
    UserImport,
)
from redundancy.models.incident import Incident
from redundancy.models.lab import LabClock, Machine, NodeService, ServiceStatus
from redundancy.models.move import SessionMove
from redundancy.models.parameter import EnterpriseParameter, ServiceParameter
from redundancy.models.planned import PlannedRestart
from redundancy.models.record import RecordKind, UserRecord
from redundancy.models.relogin import ReloginLimits
from redundancy.models.runtime import MessageKind, NodeRuntime, SrmMessage
from redundancy.models.server import Server, ServerType
from redundancy.models.signin import SignIn
from redundancy.models.user import PresenceSession, PresenceUser

__all__ = [
    "Alarm",
    "AlarmChannel",
    "AlarmKind",
    "AlarmNotice",
    "CollectionState",
    "EnterpriseParameter",
    "EventKind",
    "Fault",
    "FaultKind",
    "Forecast",
    "HaEvent",
    "ImportPiece",
    "ImportProblem",
    "ImportRow",
    "ImportState",
    "Incident",
    "LabClock",
    "LogCollection",
    "Machine",
    "MessageKind",
    "NodeRuntime",
    "NodeService",
    "PlannedRestart",
    "PresenceSession",
    "PresenceUser",
    "RecordKind",
    "RedundancyGroup",
    "ReloginLimits",
    "RequestKind",
    "Server",
    "ServerType",
    "ServiceParameter",
    "ServiceStatus",
    "SessionMove",
    "SignIn",
    "SrmMessage",
    "UserImport",
    "UserRecord",
]
