"""Of each user and outcome the newest sign-ins are kept."""

import pytest
from django.contrib.auth import get_user_model

from redundancy.models import SignIn
from redundancy.operations.signins import Outcome, record_sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ann and Bob, of whom three sign-ins of each outcome are kept."""
    monkeypatch.setattr("redundancy.operations.signins.KEPT", 3)
    for name in ("ann", "bob"):
        get_user_model().objects.create(username=name)


def record(name: str, outcome: Outcome, number: int) -> None:
    record_sign_in(username=name, outcome=outcome, address=f"192.0.2.{number}")


def kept(name: str, outcome: Outcome) -> list[str | None]:
    rows = SignIn.objects.filter(username=name, **outcome.value).order_by("pk")
    return [row.address for row in rows]


def test_guessed_passwords_drive_out_no_others() -> None:
    record("ann", Outcome.OK, 1)
    record("bob", Outcome.FAILED, 1)
    for number in range(2, 7):
        record("ann", Outcome.FAILED, number)
    assert kept("ann", Outcome.FAILED) == ["192.0.2.4", "192.0.2.5", "192.0.2.6"]
    assert kept("ann", Outcome.OK) == kept("bob", Outcome.FAILED) == ["192.0.2.1"]
    record("ann", Outcome.REFUSED, 7)
    assert kept("ann", Outcome.REFUSED) == ["192.0.2.7"]
    assert len(kept("ann", Outcome.FAILED)) == 3


def test_a_name_that_nobody_has_is_not_kept() -> None:
    for number in range(1, 6):
        record(f"secret{number}", Outcome.FAILED, number)
    assert kept("", Outcome.FAILED) == ["192.0.2.3", "192.0.2.4", "192.0.2.5"]
    assert SignIn.objects.count() == 3


def test_without_an_address_none_is_kept() -> None:
    record_sign_in(username="ann", outcome=Outcome.OK, address="")
    assert kept("ann", Outcome.OK) == [None]
