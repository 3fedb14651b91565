"""Alarms, and the channels that are told of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from redundancy.admin.base import OperationAdmin, OperationForm, ReadOnlyAdmin, action, column
from redundancy.alarms import channels
from redundancy.alarms import writes as alarms
from redundancy.models import Alarm, AlarmChannel, AlarmNotice
from redundancy.srm.words import say

admin.site.register(
    Alarm,
    ReadOnlyAdmin,
    list_display=("kind", "group_name", "node_name", "sentence", "changes", "acknowledged_by"),
    list_filter=("kind", ("cleared_at", admin.EmptyFieldListFilter)),
    search_fields=("group_name", "node_name", "sentence__english"),
)


class ChannelForm(OperationForm):
    """Add or change a channel."""

    url = forms.CharField(
        label=say("Address"),
        max_length=500,
        help_text=say(
            "In the notation of Apprise: mailto://user:password@mail.example.com, "
            "jsons://hooks.example.com/path, rsyslog://logs.example.com"
        ),
        widget=forms.TextInput(attrs={"size": 80, "autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = AlarmChannel
        fields = ("name", "url", "enabled")

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
    """Channels. Addresses are shown to who may change them, and masked in the list."""

    form = ChannelForm
    actions = ("delete_selected", "send_test")
    list_display = ("name", "masked", "enabled", "last_success", "last_failure", "last_error")
    list_filter = ("enabled",)
    search_fields = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the fields: without the address for who only looks."""
        if self.has_change_permission(request, obj):
            return ("name", "url", "enabled")
        return ("name", "masked", "enabled")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what is shown and not changed."""
        return () if self.has_change_permission(request, obj) else ("masked",)

    @column(say("Address"))
    def masked(self, channel: AlarmChannel) -> str:
        """Return the address without its secrets."""
        return channels.masked(channel.url)

    @action(say("Send test to selected channels"), permission="change")
    def send_test(self, request: HttpRequest, queryset: QuerySet[AlarmChannel]) -> None:
        """Send a message at once, and say what came of it."""
        for channel in queryset:
            problem = channels.send(channel.url, "[Test] cucm-admin", "A test of this channel.")
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
