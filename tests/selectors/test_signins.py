"""The last sign-ins of a user are the own ones."""

import pytest

from redundancy.models import SignIn
from redundancy.selectors.signins import LastSignIns, last_sign_ins


@pytest.mark.django_db
def test_they_are_the_newest_of_that_user() -> None:
    made = {
        name: SignIn.objects.create(username=user, ok=ok, refused=refused)
        for name, user, ok, refused in (
            ("old", "ann", True, False),
            ("good", "ann", True, False),
            ("wrong", "ann", False, False),
            # The password was not even looked at.
            ("refused", "ann", False, True),
            ("of bob", "bob", True, False),
            ("wrong of bob", "bob", False, False),
        )
    }
    assert last_sign_ins("ann") == LastSignIns(made["good"], made["wrong"])
    assert last_sign_ins("bob") == LastSignIns(made["of bob"], made["wrong of bob"])
    assert last_sign_ins("eve") == LastSignIns(None, None)
