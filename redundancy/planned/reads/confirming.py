"""What needs confirming before High Availability is switched, or before a step of a planned restart.

Asked by the group's page, the pages of planned restarts and the Django administration. What is done
to a service or a node by hand is a matter of ``operations.acts``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redundancy.models import RedundancyGroup
from redundancy.planned.reads.preflight import preflight
from redundancy.planned.reads.restarts import Plan, RestartStage
from redundancy.selectors import effects, live
from redundancy.srm.words import listed, say, say_count, together


@dataclass(frozen=True, slots=True)
class Switch:
    """High Availability about to be switched: what that is called, the question, the effects of a yes."""

    what: str
    question: str
    effects: list[str]


def before_switching(group: RedundancyGroup, *, on: bool | None) -> Switch | None:
    """Return what needs confirming before High Availability of ``group`` is as ``on`` says.

    None when nobody has to be asked: it is so already (or ``on`` is None: it stays as it is), the
    preflight fails in nothing, or all users are at home.

    Raises:
        RedundancyGroup.DoesNotExist: It was deleted meanwhile.

    """
    if on is None or on == group.ha_enabled:
        return None
    if on:
        what = say("Enable High Availability")
        question = say(
            "Enable High Availability of {group} now? The preflight found what will go wrong.",
            group=group.name,
        )
        to_know = _of_enabling(group)
    else:
        what = say("Disable High Availability")
        question = say(
            "Disable High Availability of {group} now? Its users are not all at home.",
            group=group.name,
        )
        to_know = effects.of_disabling(live.group_live(group.pk))
    return Switch(what, question, to_know) if to_know else None


def before_leaving(group: RedundancyGroup, nodes: Sequence[str]) -> Switch | None:
    """Return what needs confirming before ``nodes`` leave ``group``; None for no nodes."""
    if not nodes:
        return None
    return Switch(
        say("Unassign {nodes}", nodes=listed(nodes)),
        say("Unassign {nodes} from {group} now?", nodes=listed(nodes), group=group.name),
        effects.of_leaving([group.name]),
    )


def both(*switches: Switch | None) -> Switch | None:
    """Return one question for all that need confirming; None for none."""
    asked = [each for each in switches if each is not None]
    if not asked:
        return None
    what = together((each.what for each in asked), "; ")
    question = together(each.question for each in asked)
    return Switch(what, question, [effect for each in asked for effect in each.effects])


def before_step(stage: RestartStage | None, plan: Plan) -> list[str]:
    """Return what the step ``stage`` of ``plan`` will do; None for ``stage``: to stop here."""
    record = plan.record
    group = record.server.group if record.server else None
    match stage:
        case None if group is not None and record.with_ha and not group.ha_enabled:
            return [
                say("Nothing is undone."),
                say(
                    "High Availability of {group} stays off; enable it when the work is done.",
                    group=group.name,
                ),
            ]
        case None:
            return [say("Nothing is undone.")]
        case RestartStage.DISABLE if group is not None and group.ha_enabled:
            return effects.of_disabling(live.group_live(group.pk)) or [effects.UNPROTECTED]
        case RestartStage.RESTART:
            active = sum(
                count.active or 0 for count in plan.counts if count.node == record.server_name
            )
            return [effects.logged_in(record.server_name, active)]
        case RestartStage.COMPARE:
            return [
                say_count(
                    "{node}: {count} user fewer logged in than noted.",
                    "{node}: {count:,} users fewer logged in than noted.",
                    count.missing,
                    node=count.node,
                )
                for count in plan.counts
                if count.missing
            ] + _advice(plan) or [say("As many users are logged in on each node as noted.")]
        case RestartStage.ENABLE if group is not None:
            return _of_enabling(group)
        case _:
            return []


def _advice(plan: Plan) -> list[str]:
    return [
        say("{node}: {advice}", node=s.node, advice=s.advice) for s in plan.sessions if s.missing
    ]


def _of_enabling(group: RedundancyGroup) -> list[str]:
    checked = preflight(group)
    return checked.warnings if checked else []
