"""Snapshots of an administrator's own cluster, as they were read."""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class ClusterSnapshot(models.Model):
    """A cluster at one time, read from text (`redundancy/cluster`).

    ``document``, ``people`` and ``rest`` are packed JSON with a version of its own
    (`redundancy/cluster/document.py`): what was told but for users, the users, and what was not understood. They
    are apart, for a page needs only the first one. What is not ``kept`` yet is a draft: read, and shown once.
    """

    name = models.CharField(say("Cluster"), max_length=100)
    # By the clock in the text, as that machine shows it (``2026-11-29 01:20:00``); empty: no clock is told.
    taken_at = models.CharField(say("Taken"), max_length=19, blank=True)
    made_at = models.DateTimeField(say("Read (wall time)"), auto_now_add=True)
    actor = models.CharField(say("Who"), max_length=150, blank=True)
    note = models.TextField(say("Note"), blank=True)
    kept = models.BooleanField(say("kept"), default=False)
    # Those that were read at one go.
    batch = models.CharField(say("reading"), max_length=32)
    baseline = models.BooleanField(say("Baseline"), default=False)
    # Whether all of the input could be read, to the end of each file.
    all_read = models.BooleanField(say("All of it was read"), default=True)
    groups = models.PositiveIntegerField(say("Groups"), default=0)
    nodes = models.PositiveIntegerField(say("Servers"), default=0)
    users = models.PositiveIntegerField(say("Users"), default=0)
    findings = models.PositiveIntegerField(say("Findings"), default=0)
    document = models.BinaryField(say("document"))
    people = models.BinaryField(say("users of the document"))
    rest = models.BinaryField(say("what was not understood"))
    # Whose look brought it; the oldest of these are let go of.
    watch = models.ForeignKey(
        "redundancy.ClusterWatch",
        verbose_name=say("watched cluster"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="snapshots",
    )

    class Meta:
        verbose_name = say("cluster snapshot")
        verbose_name_plural = say("cluster snapshots")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(baseline=True),
                name="one_baseline_a_cluster",
            )
        ]
        indexes = [models.Index(fields=["batch"], name="snapshots_of_a_reading")]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> str:
        """Whose it is, and of when."""
        if self.taken_at:
            return say("{cluster}, taken {taken}", cluster=self.name, taken=self.taken_at)
        read = f"{self.made_at:%Y-%m-%d %H:%M}"
        return say("{cluster}, read {moment} (UTC)", cluster=self.name, moment=read)


class ClusterWatch(models.Model):
    """A real cluster that is looked at, read only (`redundancy/watch`). Times are wall time.

    ``snapshot``: how it was when it was last seen, which was at ``seen_at``, and not when the snapshot was taken: one is
    kept only where something is different. No credentials are kept.
    """

    # Kind, user, host and port, as one text.
    source = models.CharField(say("Source"), max_length=250, unique=True)
    name = models.CharField(say("Cluster"), max_length=100)
    # Whether the other side proved who it is, by a certificate or a host key.
    verified = models.BooleanField(say("Identity verified"), default=True)
    # Between two looks; 0: nobody looks again by itself.
    minutes = models.FloatField(say("Minutes between two looks"), default=0)
    # When the last look began: whoever begins one changes it, by compare-and-set.
    asked_at = models.DateTimeField(say("Last look (wall time)"), null=True)
    seen_at = models.DateTimeField(say("Last seen (wall time)"), null=True)
    failing_since = models.DateTimeField(say("Failing since (wall time)"), null=True)
    failure = SentenceField(say("Last failure"), blank=True, default="")
    # The day for which the last weekly report was sent; changed by compare-and-set, too.
    reported_on = models.DateField(say("Reported on"), null=True)
    snapshot = models.ForeignKey(
        ClusterSnapshot,
        verbose_name=say("cluster snapshot"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = say("watched cluster")
        verbose_name_plural = say("watched clusters")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return str(say("{cluster} ({source})", cluster=self.name, source=self.source))
