"""Run the Server Recovery Manager of one node alone: ``manage.py srm_worker NODE``."""

import logging
import os
import signal
import socket
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError

from cucm_admin.celery import app
from redundancy import bus
from redundancy.errors import Refused
from redundancy.live.alone import LoneSrm
from redundancy.selectors.nodes import nodes
from redundancy.tasks import ask_for_move

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Be the SRM process of one node until stopped; killing it is that SRM's death."""

    help = "Run the Server Recovery Manager of one node in this process, apart from all others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the node's name."""
        parser.add_argument("node", help="name of an IM and Presence server")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Step the node until a signal comes, or another process takes it."""
        # Moves are asked for on the queue that the product's own application names.
        app.set_default()
        server = nodes().filter(name__iexact=options["node"]).first()
        if server is None:
            raise CommandError(f"There is no IM and Presence server named {options['node']!r}.")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        srm = LoneSrm(server, f"{socket.gethostname()[:60]}:{os.getpid()}")
        try:
            srm.start()
        except Refused as refused:
            raise CommandError(refused.rule) from None
        self.stdout.write(f"SRM of {server.name} runs here, in process {os.getpid()}.")
        while not stopping.wait(settings.SWEEP_SECONDS):
            if not self._looked(srm):
                raise CommandError(f"SRM of {server.name} does not run here any more.")
        srm.stop()

    def _looked(self, srm: LoneSrm) -> bool:
        """Look once; what cannot be reached now is tried again."""
        connection.close_if_unusable_or_obsolete()
        try:
            return srm.look(ask_for_move)
        except (bus.BusError, OperationalError) as error:
            logger.warning("the heartbeat bus cannot be reached (%s)", error)
        except DatabaseError as error:
            logger.warning("the database cannot be used (%s)", error)
        return True
