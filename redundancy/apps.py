"""The redundancy application."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_migrate

from redundancy.srm.words import say


class RedundancyConfig(AppConfig):
    """Servers, presence redundancy groups and their high availability."""

    name = "redundancy"
    verbose_name = say("Presence redundancy")

    def ready(self) -> None:
        """Show sentences in the reader's language, make the roles after each migrate, keep sign-ins."""
        from redundancy import language, permissions
        from redundancy.srm import words
        from redundancy.views import signin

        words.speak_with(language.voice)
        language.name_models(self.get_models())
        post_migrate.connect(permissions.make_roles, sender=self)
        user_logged_in.connect(signin.signed_in)
        user_login_failed.connect(signin.sign_in_failed)
