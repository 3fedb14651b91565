"""What the users of this product do to their own accounts."""

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from redundancy.errors import Refused
from redundancy.models import EventKind
from redundancy.operations import events
from redundancy.srm.words import say, together


def change_own_password(*, user: User, password: str) -> None:
    """Give ``user`` another password; sessions that began with the old one end.

    Raises:
        Refused: The password breaks a rule of the settings.

    """
    try:
        validate_password(password, user)
    except ValidationError as broken:
        raise Refused(together(broken.messages), field="new_password1") from None
    name = user.get_username()
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        sentence = say("{user} changed their password.", user=name)
        events.record(kind=EventKind.ADMIN, sentence=sentence, actor=name)
