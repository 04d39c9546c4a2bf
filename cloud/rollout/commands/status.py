"""`topscoop rollout status`: how one rollout is: its stages, its gates, what it waits for, what happened."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from cloud.rollout.commands.common import add_common, moment, open_desk, rollout_of

if TYPE_CHECKING:
    from cloud.rollout.views import RolloutView

_SIGNS = {"pass": "✓", "fail": "✗", "not-enough": "…"}
_TIMELINE = 12


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `status` to `topscoop rollout`."""
    status = verbs.add_parser("status", help="show how a rollout is", description=__doc__)
    status.add_argument("rollout", metavar="ROLLOUT", help="its id")
    add_common(status)
    status.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it."""
    from cloud.rollout.words import many

    rollout = rollout_of(args)
    with open_desk(args) as (desk, principal):
        view = desk.rollout(principal, rollout)
    if args.json:
        print(json.dumps(_document(view)))
        return 0
    found = view.rollout
    print(f"rollout {found.rollout.hex()}: release {found.release}, {view.name} {view.version}")
    print(f"  {found.state}" + (f": {found.reason}" if found.reason else ""))
    for index, stage in enumerate(view.stages):
        counts = ", ".join(f"{number} {state}" for state, number in stage.counts.items())
        mark = ">" if index == found.stage else " "
        print(f"{mark} {stage.name:<24} {many(stage.registers, 'register'):>14}  {counts}")
    for gate in view.gates:
        print(f"  {_SIGNS[gate.outcome.value]} {gate.kind:<12} {gate.words}")
    for words in view.waiting:
        print(f"  waits: {words}")
    for entry in view.timeline[:_TIMELINE]:
        print(f"  {moment(entry.at_ms)}  {entry.actor}: {entry.words}")
    return 0


def _document(view: "RolloutView") -> dict[str, Any]:
    from cloud.rollout.desk_rows import verdict_to
    from cloud.rollout.plan_values import plan_to

    found = view.rollout
    return {
        "rollout": found.rollout.hex(),
        "release": found.release,
        "name": view.name,
        "version": view.version,
        "state": found.state.value,
        "stage": found.stage,
        "reason": found.reason,
        "previous": found.previous,
        "created_by": found.created_by,
        "approved_by": found.approved_by,
        "started_at_ms": found.started_at_ms,
        "ended_at_ms": found.ended_at_ms,
        "plan": plan_to(found.plan),
        "stages": [
            {
                "name": stage.name,
                "registers": stage.registers,
                "counts": {state.value: number for state, number in stage.counts.items()},
            }
            for stage in view.stages
        ],
        "gates": [verdict_to(gate) for gate in view.gates],
        "waiting": list(view.waiting),
        "members": [
            {
                "register": member.register,
                "store": member.store,
                "stage": member.stage,
                "state": member.state.value,
                "previous": member.previous,
                "reason": member.reason,
            }
            for member in view.members
        ],
        "timeline": [
            {"at_ms": entry.at_ms, "actor": entry.actor, "kind": entry.kind, "words": entry.words}
            for entry in view.timeline
        ],
    }
