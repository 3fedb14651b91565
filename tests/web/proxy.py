"""The documented nginx, with its names and ports made those of a test, and browsers that come through it."""

import functools
import http.client
import http.cookiejar
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cucm_admin.stack.run import BASE_DIR

EXAMPLE = BASE_DIR / "docs" / "deploy" / "nginx.conf"
NAME = "localhost"
# What Debian's own nginx.conf has around a site, as far as a test needs it.
AROUND = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def find_nginx() -> str | None:
    """Return the path of the system's nginx, which users other than root do not have on their path."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def make_certificate(folder: Path) -> None:
    """Make ``cert.pem`` and ``key.pem`` for ``NAME``, signed by themselves."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def site(folder: Path, *, web: int, http_port: int, https_port: int) -> str:
    """The example with what its first lines ask to change; each line of it must be there."""
    text = EXAMPLE.read_text()
    for old, new in (
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{web};"),
        ("listen 80;", f"listen 127.0.0.1:{http_port};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https_port} ssl;"),
        ("/etc/ssl/certs/cucm.example.com.pem", f"{folder}/cert.pem"),
        ("/etc/ssl/private/cucm.example.com.key", f"{folder}/key.pem"),
        ("cucm.example.com", NAME),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def start_nginx(folder: Path, program: str, **ports: int) -> "subprocess.Popen[bytes]":
    """Start nginx with the example in ``folder``; it ends with its process."""
    folder.mkdir()
    make_certificate(folder)
    (folder / "site.conf").write_text(site(folder, **ports))
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, user=user))
    log = (folder / "log").open("wb")
    return subprocess.Popen(
        [program, "-p", str(folder), "-c", str(config)], stdout=log, stderr=subprocess.STDOUT
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class _From(urllib.request.HTTPSHandler):
    """Connects from an address of its own, by which the proxy knows it."""

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        connect = functools.partial(
            http.client.HTTPSConnection, source_address=(Browser.address, 0)
        )
        return self.do_open(connect, request, context=self._context)  # type: ignore[attr-defined]


class Browser:
    """Keeps cookies, follows nothing, and trusts the certificate in ``folder``."""

    # Another one of this machine than the proxy has.
    address = "127.0.0.9"

    def __init__(self, folder: Path, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        self._opener = urllib.request.build_opener(
            _From(context=trust),
            urllib.request.HTTPCookieProcessor(self.cookies),
            _NoRedirect,
        )
        self._headers = {"Origin": url, **(headers or {})}

    def ask(self, path: str, data: bytes | None = None, kind: str = "") -> Any:
        """Return the answer, whatever its status; ``body`` is what it holds."""
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(f"{self.url}{path}", data, headers)
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            answer.body = answer.read().decode()
        return answer

    @property
    def token(self) -> str:
        return next(str(each.value) for each in self.cookies if each.name == "csrftoken")

    def sign_in(self, password: str) -> Any:
        self.ask("/login/")
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": self.token}
        return self.ask("/login/", urllib.parse.urlencode(form).encode())

    def upload(self, data: bytes) -> Any:
        """Send a file of users as the form of Import Users does."""
        self.ask("/ccmadmin/bulk/import-users/")
        parts = (
            f'--part\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{self.token}\r\n'
            '--part\r\nContent-Disposition: form-data; name="file"; filename="users.csv"\r\n\r\n'
        )
        body = parts.encode() + data + b"\r\n--part--\r\n"
        kind = "multipart/form-data; boundary=part"
        return self.ask("/ccmadmin/bulk/import-users/", body, kind)


def seconds_of_hsts(answer: Any) -> int:
    """How long a browser keeps to HTTPS after this answer."""
    found = re.fullmatch(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"] or "")
    return int(found[1]) if found else 0
