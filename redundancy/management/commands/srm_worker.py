"""Run the Server Recovery Manager of one node alone: ``manage.py srm_worker NODE``."""

import os
import secrets
import signal
import socket
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, no_translations
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from kombu.exceptions import OperationalError

from cucm_admin import joining
from cucm_admin.celery import app
from redundancy import bus
from redundancy.errors import Refused
from redundancy.live.alone import LoneSrm
from redundancy.management.joined import JoinedCommand
from redundancy.models import Server
from redundancy.operations.power import SILENT_SECONDS
from redundancy.outage import OutageLog
from redundancy.selectors import nodes
from redundancy.tasks import ask_for_moves


class Command(JoinedCommand):
    """Be the SRM process of one node until stopped, or until a newer one takes the node."""

    serves = True
    help = "Run the Server Recovery Manager of one node in this process, apart from all others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the node's name."""
        parser.add_argument("node", help="name of an IM and Presence server")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Step the node until a signal comes, or another process takes it."""
        self._outages = OutageLog()
        connection_created.connect(let_go_of_rows)
        connection.close()
        # Moves are asked for on the queue that the product's own application names.
        app.set_default()
        server = nodes.nodes().filter(name__iexact=options["node"]).first()
        if server is None:
            raise CommandError(f"There is no IM and Presence server named {options['node']!r}.")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        # Two machines made of one image may have the same name, and their processes the same number.
        mine = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(3)}"
        srm = LoneSrm(server, mine)
        try:
            srm.start()
        except Refused as refused:
            raise CommandError(refused.rule) from None
        self.stdout.write(f"SRM of {server.name} runs here, in process {mine}.")
        watch = joining.Watch()
        while not stopping.wait(settings.SWEEP_SECONDS):
            if wrong := watch.look():
                raise CommandError(f"This process ends. {wrong}")
            if not self._looked(srm):
                # No failure: a supervisor that starts failed commands again would take the node back.
                self.stdout.write(f"This process ends: {_successor(server)}.")
                return
        srm.stop()

    def _looked(self, srm: LoneSrm) -> bool:
        """Look once; what cannot be reached now is tried again."""
        connection.close_if_unusable_or_obsolete()
        try:
            owned = srm.look(ask_for_moves)
            self._outages.over("look")
            return owned
        except (bus.BusError, OperationalError) as error:
            self._outages.note(error, "look")
        except DatabaseError as error:
            self._outages.note(error, "look")
        return True


def let_go_of_rows(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Let PostgreSQL end a transaction in which this process freezes: it would hold others up."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = %s", [SILENT_SECONDS * 1000])


def _successor(server: Server) -> str:
    """Return who runs the node's SRM now."""
    worker = nodes.srm_process(server)
    if worker is None:
        return f"{server.name} was deleted"
    if worker:
        return f"SRM of {server.name} is run by process {worker} now"
    return f"SRM of {server.name} is run by the sweep of all nodes again"
