"""Pages that were made before, served to a browser with their styles and scripts."""

import contextlib
import mimetypes
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from django.contrib.staticfiles import finders

from tests.everypage import Rendered

STATIC = "/static/"


@contextlib.contextmanager
def served(pages: Sequence[Rendered]) -> Iterator[str]:
    """Serve each page at its number, and return the address that the number is put behind.

    A browser keeps the static files: with Playwright's routes it would ask for each of them on each page.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if "HX-Request" in self.headers:
                # What a page refreshes by itself: nothing new, so it stays as it was made.
                self._answer(204, "text/html", b"")
            elif path.startswith(STATIC):
                file = finders.find(path.removeprefix(STATIC))
                assert isinstance(file, str), path
                kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
                self._answer(200, kind, Path(file).read_bytes(), "max-age=3600")
            elif path[1:].isdigit():
                self._answer(200, "text/html; charset=utf-8", pages[int(path[1:])].html.encode())
            else:
                self._answer(404, "text/plain", b"")

        def _answer(self, status: int, kind: str, body: bytes, kept: str = "no-store") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", kept)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
