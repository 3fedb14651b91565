"""The redundancy application."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_migrate

from redundancy.srm.words import say


def _signed_in(**given: Any) -> None:
    # What pages need is loaded by processes that answer them.
    from redundancy.views import signin

    signin.signed_in(**given)


class RedundancyConfig(AppConfig):
    """Servers, presence redundancy groups and their high availability."""

    name = "redundancy"
    verbose_name = say("Presence redundancy")

    def ready(self) -> None:
        """Show sentences in the reader's language, make the roles after each migrate, keep sign-ins."""
        from redundancy import language, permissions
        from redundancy.operations import signins
        from redundancy.srm import words

        words.speak_with(language.voice)
        language.name_models(self.get_models())
        post_migrate.connect(permissions.make_roles, sender=self)
        user_logged_in.connect(_signed_in)
        user_login_failed.connect(signins.sign_in_failed)
