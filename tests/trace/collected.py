"""A log collection, carried out and opened."""

import io
import zipfile

from redundancy.models import LogCollection
from redundancy.traces import collecting
from redundancy.traces.reads import file_of

FILES = {
    "README.txt",
    "traces/imp-pub-srm.log",
    "traces/imp-sub-srm.log",
    "events/system.csv",
    "events/application.csv",
    # It took the others with it.
    "services/imp-pub-Cisco_XCP_Router.log",
    "services/imp-pub-Cisco_XCP_Authentication_Service.log",
    "services/imp-pub-Cisco_XCP_Connection_Manager.log",
    "services/imp-pub-Cisco_XCP_Web_Connection_Manager.log",
    "cli/utils-ha-status.txt",
    "cli/enterprisesubcluster.txt",
    "cli/enterprisenode.txt",
    "parameters.txt",
    "versions.txt",
}


def zipped(job: LogCollection) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(file_of(job))))


def collect(queued: list[tuple[int, int, int]]) -> None:
    while queued:
        collecting.collect(*queued.pop(0))
