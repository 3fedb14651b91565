"""Alarms, and the channels that are told of them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from redundancy.admin.base import OperationAdmin, OperationForm, ReadOnlyAdmin, action, column
from redundancy.alarms import addresses, channels
from redundancy.alarms import writes as alarms
from redundancy.models import Alarm, AlarmChannel, AlarmNotice
from redundancy.srm.words import say

admin.site.register(
    Alarm,
    ReadOnlyAdmin,
    list_display=(
        *("kind", "cluster", "group_name", "node_name", "sentence", "changes"),
        "acknowledged_by",
    ),
    list_filter=("kind", ("cleared_at", admin.EmptyFieldListFilter)),
    search_fields=("cluster", "group_name", "node_name", "sentence__english"),
)


# Channels that are tried at a time.
TESTED = 4


def _test(url: str) -> str:
    return channels.send(url, "[Test] cucm-admin", "A test of this channel.")


class ChannelForm(OperationForm):
    """Add or change a channel."""

    url = forms.CharField(
        label=say("Address"),
        max_length=addresses.LONGEST,
        required=False,
        help_text=say(
            "In the notation of Apprise: mailto://user:password@mail.example.com, "
            "jsons://hooks.example.com/path, rsyslog://logs.example.com. "
            "It is stored encrypted and not shown again; leave it empty to keep the one that is stored."
        ),
        widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = AlarmChannel
        fields = ("name", "url", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody reads it here: who may change it may not know it.
        self.initial["url"] = ""

    def operate(self, actor: str) -> AlarmChannel:
        """Add or change the channel."""
        return alarms.save_channel(
            channel=self.instance if self.instance.pk else None,
            name=self.cleaned_data["name"],
            url=self.cleaned_data["url"],
            enabled=self.cleaned_data["enabled"],
            actor=actor,
        )


@admin.register(AlarmChannel)
class AlarmChannelAdmin(OperationAdmin):
    """Channels. Of an address only scheme and host are shown, to nobody more."""

    form = ChannelForm
    actions = ("delete_selected", "send_test")
    readonly_fields = chosen_once = ("shown",)
    list_display = ("name", "shown", "enabled", "last_success", "last_failure", "last_error")
    list_filter = ("enabled",)
    search_fields = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the fields: without a new address for who only looks."""
        if self.has_change_permission(request, obj):
            return ("name", "shown", "url", "enabled") if obj else ("name", "url", "enabled")
        return ("name", "shown", "enabled")

    @column(say("Present Address"))
    def shown(self, channel: AlarmChannel) -> str:
        """Return the scheme and the host of the address."""
        return addresses.shown(channel.url)

    @action(say("Send test to selected channels"), permission="change")
    def send_test(self, request: HttpRequest, queryset: QuerySet[AlarmChannel]) -> None:
        """Send a message at once, and say what came of it."""
        chosen = list(queryset[: TESTED + 1])
        if len(chosen) > TESTED:
            few = say("Choose at most {most} channels for a test.", most=TESTED)
            self.message_user(request, str(few), messages.ERROR)
            return
        # Beside each other: one that hangs takes as long as all of them may.
        with ThreadPoolExecutor(TESTED) as pool:
            problems = list(pool.map(_test, (channel.url for channel in chosen)))
        for channel, problem in zip(chosen, problems, strict=True):
            said = (
                say("{channel}: {problem}", channel=channel.name, problem=problem)
                if problem
                else say("{channel}: the test was sent.", channel=channel.name)
            )
            level = messages.ERROR if problem else messages.SUCCESS
            self.message_user(request, str(said), level)

    def remove(self, rows: QuerySet[AlarmChannel], actor: str) -> None:
        """Delete the channels."""
        alarms.delete_channels(rows=rows, actor=actor)


admin.site.register(
    AlarmNotice,
    ReadOnlyAdmin,
    list_display=("alarm", "channel", "text", "tries", "due_at", "delivered_at", "given_up"),
    list_filter=("channel", "given_up", ("delivered_at", admin.EmptyFieldListFilter)),
    list_select_related=("alarm", "channel"),
    search_fields=("text",),
)
