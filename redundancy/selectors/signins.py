"""The last sign-ins of a user."""

from dataclasses import dataclass

from redundancy.models import SignIn


@dataclass(frozen=True, slots=True)
class LastSignIns:
    """The newest successful and the newest failed sign-in of a user, where there is one."""

    successful: SignIn | None
    failed: SignIn | None


def last_sign_ins(username: str) -> LastSignIns:
    """Return the last sign-ins kept under ``username``."""
    mine = SignIn.objects.filter(username=username)
    return LastSignIns(
        successful=mine.filter(ok=True).first(), failed=mine.filter(ok=False, refused=False).first()
    )
