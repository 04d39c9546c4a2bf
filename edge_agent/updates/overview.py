"""The register's releases in words and values, for the local API and for people; pure."""

from collections.abc import Mapping
from typing import Any

from edge_agent.updates.choice import Choice, Source, may_run, why_not
from edge_agent.updates.facts import Facts
from edge_agent.updates.figures import UpdateFigures


def overview(facts: Facts, running: Choice, found: UpdateFigures | None = None) -> dict[str, Any]:
    """Everything, as JSON has it.

    Args:
        facts: The durable ones.
        running: What is in use, or would be.
        found: Of the running agent; None where none runs.
    """
    attempt, order, update = facts.attempt, facts.order, None
    if found is not None and found.update is not None:
        update = found.update
    return {
        "in_use": {"source": running.source.value, "release": running.release},
        "generation": facts.generation,
        "desired": None if order is None else order.release,
        "returned_by_hand": facts.is_held,
        "floor": facts.floor,
        "crashes": facts.crashes,
        "update": None
        if attempt is None
        else {
            "transaction": attempt.transaction,
            "release": attempt.release,
            "state": (attempt.state if update is None else update.state).value,
            "reason": attempt.reason,
            "words": attempt.words,
            "at_ms": attempt.at_ms,
            "fetched_bytes": 0 if update is None else update.fetched_bytes,
            "total_bytes": 0 if update is None else update.total_bytes,
        },
        "trial_progress": None if found is None else found.trial_progress,
        "metadata": _metadata(facts),
        "shadow": None if found is None or found.shadow is None else _shadow(found),
        "slots": [_slot(facts, one.release, running) for one in facts.slots],
    }


def lines(view: Mapping[str, Any]) -> list[str]:
    """The same for a terminal."""
    in_use = view["in_use"]
    what = f"release {in_use['release']}" if in_use["release"] else f"{in_use['source']}"
    told = [f"In use: {what if in_use['source'] != 'installed' else 'the installed model'}."]
    if view["returned_by_hand"]:
        told.append("A person at the till went back; the cloud's next order decides anew.")
    told += [
        f"{'*' if one['in_use'] else ' '} release {one['release']:<6} {one['verdict']:6} {one['digest'][:16]}"
        + (f"  may not run: {one['not_because']}" if one["not_because"] else "")
        + (f"  left with order {one['left_generation']}" if one["left_generation"] is not None else "")
        + (f"  {one['words']}" if one["words"] else "")
        for one in view["slots"]
    ]
    update = view["update"]
    if update is not None:
        why = f" ({update['reason']}: {update['words']})" if update["reason"] else ""
        told.append(f"Newest update: release {update['release']}, {update['state']}{why}.")
    if view["floor"]:
        told.append(f"Nothing below release {view['floor']} is run.")
    if not view["slots"] and update is None:
        told.append("No release has come to this register yet.")
    return told


def lines_of_return(view: Mapping[str, Any]) -> list[str]:
    """What a person is told who went back."""
    told = lines(view)[:1]
    if view["in_use"]["source"] == Source.BESTSELLERS:
        told.append("There is no model before that may run here; the cloud's next order decides anew.")
    return told


def _slot(facts: Facts, release: int, running: Choice) -> dict[str, Any]:
    slot = facts.slot(release)
    assert slot is not None, "it is one of them"
    why = why_not(facts, slot.release, slot.digest)
    return {
        "release": slot.release,
        "digest": slot.digest,
        "directory": slot.directory,
        "verdict": slot.verdict.value,
        "at_ms": slot.at_ms,
        "in_use": running.source is Source.RELEASE and running.release == slot.release,
        "may_run": may_run(facts, slot),
        "not_because": None if why is None else why.value,
        "reason": None if slot.reason is None else slot.reason.value,
        "words": slot.words,
        "left_generation": slot.left_generation,
    }


def _metadata(facts: Facts) -> dict[str, Any] | None:
    if facts.listing is None:
        return None
    seen = facts.listing.metadata
    return {
        "root": seen.root,
        "timestamp": seen.timestamp,
        "snapshot": seen.snapshot,
        "targets": seen.targets,
        "expires_at_ms": seen.expires_at,
        "releases": sorted(facts.listing.releases),
        "withdrawn": sorted(facts.listing.withdrawn),
    }


def _shadow(found: UpdateFigures) -> dict[str, Any]:
    shadow = found.shadow
    assert shadow is not None, "asked before"
    return {
        "release": shadow.release,
        "compared": shadow.compared,
        "same_first": shadow.same_first,
        "same_three": shadow.same_three,
        "errors": shadow.errors,
        "p99_ms": shadow.p99_ms,
    }
