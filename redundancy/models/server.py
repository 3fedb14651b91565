"""Servers of the cluster."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from redundancy.catalog import DEFAULT_VERSION
from redundancy.login_profiles import NODE_SIZES
from redundancy.srm.words import say


class ServerType(models.TextChoices):
    """What a server is; fixed once saved."""

    CUCM = "cucm", say("CUCM Voice/Video")
    IMP = "imp", say("CUCM IM and Presence")


class Server(models.Model):
    """A machine in *System > Server*. An IM and Presence server is also called a node."""

    name = models.CharField(say("Host Name/IP Address"), max_length=63)
    server_type = models.CharField(say("Server Type"), max_length=4, choices=ServerType.choices)
    description = models.CharField(say("description"), max_length=128, blank=True)
    # Where it is empty, programs are told an address made of the key (selectors.servers.ipv4_of).
    ipv4_address = models.GenericIPAddressField(
        say("IPv4 Address"), protocol="IPv4", null=True, blank=True
    )
    ipv6_address = models.GenericIPAddressField(
        say("IPv6 Address"), protocol="IPv6", null=True, blank=True
    )
    mac_address = models.CharField(say("MAC Address"), max_length=12, blank=True)
    domain = models.CharField(say("IM and Presence Domain"), max_length=255, blank=True)
    # Nodes of a pair are upgraded one after the other, so it may differ between them.
    version = models.CharField(
        say("Installed Version"), max_length=24, blank=True, default=DEFAULT_VERSION
    )
    # For how many users the node is made; empty while nobody has said.
    node_size = models.PositiveIntegerField(
        say("Node Size"),
        null=True,
        blank=True,
        choices=[
            (size, say("{size:,} users ({hardware})", size=size, hardware=hardware))
            for size, hardware in NODE_SIZES.items()
        ],
        editable=False,
    )
    is_publisher = models.BooleanField(
        say("IM&P database publisher"), default=False, editable=False
    )
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="servers",
    )
    # 1 or 2: which of the group's two drop-downs names this server.
    slot = models.PositiveSmallIntegerField(say("slot"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = say("server")
        verbose_name_plural = say("servers")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(Lower("name"), name="server_name_unique"),
            models.UniqueConstraint(
                fields=["is_publisher"], condition=Q(is_publisher=True), name="one_publisher"
            ),
            models.UniqueConstraint(fields=["group", "slot"], name="one_server_a_slot"),
            models.CheckConstraint(
                condition=Q(group__isnull=True, slot__isnull=True)
                | Q(group__isnull=False, slot__in=[1, 2]),
                name="slot_with_group",
            ),
            models.CheckConstraint(
                condition=Q(server_type="imp") | Q(group__isnull=True, is_publisher=False),
                name="only_imp_in_groups",
            ),
        ]

    def __str__(self) -> str:
        return self.name
