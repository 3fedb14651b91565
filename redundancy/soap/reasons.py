"""What is said of a service that does not run, with the vendor's number for it."""

from redundancy.models import ServiceStatus

NOT_RUNNING: dict[str, tuple[int, str]] = {
    ServiceStatus.NOT_ACTIVATED: (-1068, "Service Not Activated"),
    ServiceStatus.STOPPED: (-1069, "Commanded Out of Service"),
}
