"""What a request that is too large is answered."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from cucm_admin.web import limits
from tests.pages.html import soup, status

LOGIN = reverse("login")


def declared(client: Client, path: str, length: int, **extra: str) -> tuple[int, str]:
    """The status and the sentence for a body of so many bytes, of which none is sent."""
    extra |= {"CONTENT_LENGTH": str(length), "HTTP_ACCEPT_LANGUAGE": extra.pop("language", "en")}
    response = client.post(path, b"", "multipart/form-data; boundary=x", **extra)  # type: ignore[arg-type]
    assert "Content-Security-Policy" in response.headers
    return response.status_code, status(response) if soup(response).select("#status") else ""


@pytest.mark.parametrize("path", [LOGIN, "/admin/", "/nowhere/", "/ccmadmin/bulk/jobs/"])
def test_too_large(client: Client, path: str) -> None:
    code, sentence = declared(client, path, limits.BODY + 1)
    assert code == 413
    assert "larger than 2 MB" in sentence
    assert "Nothing was changed" in sentence
    assert "maior que 2 MB" in declared(client, path, limits.BODY + 1, language="pt-BR")[1]


@pytest.mark.parametrize("name", ["user_import", "cluster_import"])
def test_files_may_be_larger(client: Client, settings: Settings, name: str) -> None:
    upload = reverse(name)
    assert upload.startswith(limits.UPLOADS)
    settings.MAX_IMPORT_MB = 7
    code, sentence = declared(client, upload, limits.body_limit(upload) + 1)
    assert code == 413
    assert "must not be larger than 7 MB" in sentence


def test_a_body_of_unknown_length(client: Client) -> None:
    response = client.generic("POST", LOGIN, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert response.status_code == 411


def test_what_the_server_refused(client: Client, db: None) -> None:
    assert declared(client, LOGIN, 5, **{limits.REFUSED: 413})[0] == 413  # type: ignore[arg-type]
    response = client.post(LOGIN, **{limits.REFUSED: 503})  # type: ignore[arg-type]
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    # A client cannot refuse for somebody: its headers have other names.
    assert client.get(LOGIN, headers={limits.REFUSED: "413"}).status_code == 200
