"""The tables."""

from redundancy.models.alarm import Alarm, AlarmChannel, AlarmKind, AlarmNotice
from redundancy.models.ceiling import LoginCeiling
from redundancy.models.client import ClientLogin
from redundancy.models.cluster import ClusterSnapshot, ClusterWatch
from redundancy.models.collection import (
    CollectionPiece,
    CollectionState,
    LogCollection,
    TracePiece,
)
from redundancy.models.copy import LabCopy
from redundancy.models.event import EventKind, HaEvent, RequestKind
from redundancy.models.fault import Fault, FaultKind
from redundancy.models.forecast import Forecast
from redundancy.models.function import ConfiguredFunction
from redundancy.models.group import RedundancyGroup
from redundancy.models.imports import (
    ImportPiece,
    ImportProblem,
    ImportRow,
    ImportState,
    UserImport,
)
from redundancy.models.incident import Incident
from redundancy.models.installation import SharedSetting
from redundancy.models.lab import LabClock, Machine, NodeService, ServiceStatus
from redundancy.models.move import SessionMove
from redundancy.models.parameter import EnterpriseParameter, ServiceParameter
from redundancy.models.planned import PlannedRestart
from redundancy.models.record import RecordKind, UserRecord
from redundancy.models.relogin import ReloginLimits
from redundancy.models.runtime import MessageKind, NodeRuntime, SrmMessage, SrmNews
from redundancy.models.server import Server, ServerType
from redundancy.models.signin import SignIn
from redundancy.models.user import WHEN_IT_COMES, PresenceSession, PresenceUser

__all__ = [
    "WHEN_IT_COMES",
    "Alarm",
    "AlarmChannel",
    "AlarmKind",
    "AlarmNotice",
    "ClientLogin",
    "ClusterSnapshot",
    "ClusterWatch",
    "CollectionPiece",
    "CollectionState",
    "ConfiguredFunction",
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
    "LabCopy",
    "LogCollection",
    "LoginCeiling",
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
    "SharedSetting",
    "SignIn",
    "SrmMessage",
    "SrmNews",
    "TracePiece",
    "UserImport",
    "UserRecord",
]
