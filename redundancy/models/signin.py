"""Who signed in, and who tried to."""

from django.db import models


class SignIn(models.Model):
    """A successful or failed sign-in under the name of an existing user."""

    username = models.CharField(max_length=150, db_index=True)
    at = models.DateTimeField(auto_now_add=True)
    ok = models.BooleanField("successful")
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        verbose_name = "sign-in"
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.username}: {'successful' if self.ok else 'failed'}"
