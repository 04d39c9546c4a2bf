"""`topscoop rollout list`: the chain's rollouts, newest first."""

import argparse
import json

from cloud.rollout.commands.common import add_common, moment, open_desk


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `list` to `topscoop rollout`."""
    listing = verbs.add_parser("list", help="list the rollouts", description=__doc__)
    add_common(listing)
    listing.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them."""
    with open_desk(args) as (desk, principal):
        found = desk.rollouts(principal)
    if args.json:
        document = [
            {
                "rollout": one.rollout.hex(),
                "release": one.release,
                "name": one.name,
                "version": one.version,
                "state": one.state.value,
                "stage": one.stages[one.stage],
                "counts": {state.value: number for state, number in one.counts.items()},
                "reason": one.reason,
                "created_by": one.created_by,
                "created_at_ms": one.created_at_ms,
                "started_at_ms": one.started_at_ms,
                "ended_at_ms": one.ended_at_ms,
            }
            for one in found
        ]
        print(json.dumps(document))
        return 0
    for one in found:
        counts = ", ".join(f"{number} {state}" for state, number in one.counts.items())
        print(f"{one.rollout.hex()}  release {one.release:<4} {one.state:<9}  {one.stages[one.stage]}")
        print(f"  {moment(one.started_at_ms)}  {counts or 'no registers yet'}")
    if not found:
        print(f"no rollouts; plan one: topscoop rollout plan RELEASE --tenant {args.tenant}")
    return 0
