"""Pages tell real clients from those that the lab plays."""

import json

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from redundancy.models import ClientLogin, RedundancyGroup
from redundancy.operations import clients
from tests.labtime import stand_at
from tests.pages.html import soup, words
from tests.relogin.pair import BEGIN, take_over

ANN = "imp-pub.0000"
REAL = "Real clients, which log in by SOAP; the lab plays the others:"


def log_in(userid: str = ANN) -> None:
    clients.log_in(userid=userid, password=settings.JABBER_PASSWORD)


def shown(page: Client, group: RedundancyGroup) -> str:
    region = soup(page.get(reverse("group_edit", args=[group.pk]))).select_one("#live")
    assert region is not None
    return words(region)


def test_the_group_counts_real_clients_for_themselves(page: Client, group: RedundancyGroup) -> None:
    assert REAL not in shown(page, group)
    log_in()
    log_in("imp-sub.0000")
    assert f"{REAL} imp-pub 1 · imp-sub 1" in shown(page, group)
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 600)
    assert f"{REAL} imp-sub 1 (1 waiting to log in)" in shown(page, group)


def test_a_login_is_news_to_an_open_page(page: Client, group: RedundancyGroup) -> None:
    address = reverse("group_edit", args=[group.pk])
    log_in()
    region = soup(page.get(address)).select_one("#live")
    assert region is not None
    query = str(region["hx-get"])
    assert page.get(address + query).status_code == 204
    log_in("imp-pub.0001")
    assert page.get(address + query).status_code == 200


def test_who_is_still_to_come_has_no_moment(page: Client, group: RedundancyGroup) -> None:
    log_in()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 600)
    address = reverse("user_history") + f"?userid={ANN}"
    assert "when its client comes" in words(soup(page.get(address)).select_one("main"))
    *_, last = json.loads(page.get(f"{address}&format=json").content)["stays"]
    assert (last["logged_in_not_before"], last["logged_in_not_after"]) == (None, None)
    page.get(f"{address}&format=csv")


def test_the_administration_lists_them_without_what_lets_them_in(
    page: Client, group: RedundancyGroup, admin: User
) -> None:
    log_in()
    admin.is_staff = True
    admin.save()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    listed = page.get(reverse("admin:redundancy_presencesession_changelist") + "?by_client=1")
    assert "when its client comes" in listed.content.decode()
    row = ClientLogin.objects.get()
    body = page.get(reverse("admin:redundancy_clientlogin_change", args=[row.pk])).content.decode()
    assert ANN in body
    assert row.key_mark not in body
