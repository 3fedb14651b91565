"""A planned lab as text for people and as data for programs, in English. Pure."""

from collections.abc import Iterator
from typing import Any

from redundancy.cluster.lab_plan import Note, Plan, PlannedServer, Sort
from redundancy.srm.words import english


def text(plan: Plan) -> Iterator[str]:
    """Yield the lines of a report."""
    yield (
        f"The lab would have {len(plan.servers):,} server(s), {len(plan.groups):,} group(s) and "
        f"{len(plan.users):,} user(s)."
    )
    for group in plan.groups:
        ha = "on" if group.ha else "off"
        yield f"  Group {group.name}: High Availability {ha}"
        for server in plan.servers:
            if server.group == group.name:
                yield f"    {_server(server)}"
    for server in plan.servers:
        if server.group is None:
            yield f"  {_server(server)}"
    for key, value in (*plan.parameters.items(), *plan.enterprise.items()):
        yield f"  {key} = {value}"
    for sort in Sort:
        notes = [note for note in plan.notes if note.sort is sort]
        if notes:
            yield f"  {english(sort.heading)}:"
        for note in notes:
            places = ", ".join(str(place) for place in note.places)
            yield f"    - {english(note.sentence)}{f' ({places})' if places else ''}"
    for refusal in plan.refusals:
        yield f"Cannot be made: {refusal.field}: {english(refusal.rule)}"


def _server(server: PlannedServer) -> str:
    if not server.presence:
        return f"{server.name}, CUCM Voice/Video"
    running = sum(service.running for service in server.services.values())
    activated = sum(service.activated for service in server.services.values())
    parts = [server.name, f"version {server.version}"]
    if server.publisher:
        parts.append("publisher")
    if not server.powered:
        parts.append("off")
    else:
        parts.append(f"{running} of {activated} activated services run")
    parts += [f"{key} = {value}" for key, value in server.parameters.items()]
    return ", ".join(parts)


def data(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON has it."""
    return {
        "servers": [
            {
                "name": each.name,
                "im_and_presence": each.presence,
                "publisher": each.publisher,
                "group": each.group,
                "slot": each.slot,
                "version": each.version,
                "address": each.address,
                "powered": each.powered,
                "srm_running": each.srm_running,
                "services": {
                    name: {"activated": service.activated, "running": service.running}
                    for name, service in each.services.items()
                },
                "parameters": dict(each.parameters),
            }
            for each in plan.servers
        ],
        "groups": [
            {
                "name": each.name,
                "ha": each.ha,
                "nodes": list(each.nodes),
                "can_begin_as_told": each.as_told,
            }
            for each in plan.groups
        ],
        "parameters": {**plan.parameters, **plan.enterprise},
        "functions": list(plan.functions),
        "users": len(plan.users),
        "notes": [_note(note) for note in plan.notes],
        "refused": [{"field": each.field, "rule": english(each.rule)} for each in plan.refusals],
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "kind": note.sort.value,
        "sentence": english(note.sentence),
        "places": [{"file": place.file, "line": place.line} for place in note.places],
    }
