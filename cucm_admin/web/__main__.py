"""The entry point: takes its socket from whoever started it, or opens it at ``BIND`` and ``PORT`` (or ``SOAP_PORT``)."""

import argparse
import os
import socket
import sys
from functools import partial

from cucm_admin.stack import checks


def main(arguments: list[str]) -> None:
    """Serve the pages until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m cucm_admin.web", description=__doc__)
    parser.add_argument("--fd", type=int, help="a listening socket that this process inherited")
    parser.add_argument("--tls", action="store_true", help="speak TLS, at SOAP_PORT")
    given = parser.parse_args(arguments)
    if given.fd is not None:
        listening = socket.socket(fileno=given.fd)
    elif given.tls:
        listening = _tls_socket()
    else:
        listening = checks.listen(checks.bind_address(), checks.port_number())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")

    from cucm_admin import wsgi

    if given.tls:
        from django.conf import settings

        from cucm_admin.web import certificate, nodes, tls

        folder, given_files = settings.VAR_DIR / "tls", (settings.TLS_CERT, settings.TLS_KEY)
        spoken = certificate.context(folder, *given_files)
        sys.stdout.write(f"SOAP listens by TLS on port {listening.getsockname()[1]}\n")
        sys.stdout.flush()
        follow = None
        if settings.SOAP_NODES:
            certify = partial(certificate.for_server, folder, *given_files)
            follow = partial(nodes.follow, listening, certify)
        tls.run(wsgi.application, listening, spoken, follow)
    else:
        from cucm_admin.web import server

        server.run(wsgi.application, listening)
    if wsgi.fit.wrong:
        # It has said why; who started it must know that this was no ordinary end.
        sys.exit(1)


def _tls_socket() -> socket.socket:
    listening, why = checks.listen_for(checks.SOAP, checks.bind_address(), must=True)
    if listening is None:
        sys.exit(why or "SOAP is not served: SOAP_PORT is 0")
    return listening


if __name__ == "__main__":
    main(sys.argv[1:])
