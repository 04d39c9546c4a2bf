"""`topscoop rollout plan`: what a rollout would do, and the draft of it."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from cloud.rollout.commands.common import add_common, open_desk

if TYPE_CHECKING:
    from cloud.rollout.values import Plan
    from cloud.rollout.views import Preview


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `plan` to `topscoop rollout`."""
    plan = verbs.add_parser("plan", help="plan a rollout, or look at what it would do", description=__doc__)
    plan.add_argument("release", type=int, nargs="?", metavar="RELEASE", help="the release's number")
    plan.add_argument(
        "--plan",
        metavar="FILE",
        help="plan (JSON, `-` is standard input); default: one register, one in ten, everywhere",
    )
    plan.add_argument("--store", action="append", metavar="STORE", help="only this one; several times")
    plan.add_argument("--dry-run", action="store_true", help="say what it would do, and keep nothing")
    plan.add_argument("--print-default", action="store_true", help="print the default plan and stop")
    add_common(plan)
    plan.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Preview; keep the draft unless it is a dry run."""
    from cloud.rollout.errors import PlanError
    from cloud.rollout.plan_values import DEFAULT_PLAN, plan_to
    from cloud.rollout.words import many

    if args.print_default:
        print(json.dumps(plan_to(DEFAULT_PLAN), indent=2))
        return 0
    if args.release is None or args.release < 1:
        raise PlanError(("which release? give its number, as `topscoop model log` shows it",))
    plan = _read_plan(args)
    with open_desk(args) as (desk, principal):
        preview = desk.preview(principal, args.release, plan)
        rollout = None if args.dry_run else desk.plan(principal, args.release, plan)
    if args.json:
        print(json.dumps(_document(preview, rollout)))
        return 0
    print(f"release {preview.release}, {preview.name}: {preview.words}")
    for stage in preview.stages:
        print(f"  {stage.name:<24} {many(stage.registers, 'register')} in {many(stage.stores, 'store')}")
    for warning in preview.warnings:
        print(f"  note: {warning}")
    for conflict in preview.conflicts:
        print(f"  not now: {conflict.words}")
    if rollout is not None:
        print(f"kept as rollout {rollout.hex()}")
        print(f"  next: topscoop rollout start {rollout.hex()} --tenant {args.tenant}")
    return 0


def _read_plan(args: argparse.Namespace) -> "Plan":
    import sys
    from pathlib import Path

    from cloud.rollout.errors import PlanError
    from cloud.rollout.plan_values import DEFAULT_PLAN, plan_from, plan_to

    value: Any = plan_to(DEFAULT_PLAN)
    if args.plan is not None:
        try:
            text = sys.stdin.read() if args.plan == "-" else Path(args.plan).read_text("utf-8")
            value = json.loads(text)
        except OSError as error:
            raise PlanError((f"{args.plan} cannot be read: {error.strerror}",)) from error
        except ValueError as error:
            raise PlanError((f"{args.plan} is no JSON: {error}",)) from error
    if args.store and isinstance(value, dict):
        value = {**value, "stores": args.store}
    return plan_from(value)


def _document(preview: "Preview", rollout: bytes | None) -> dict[str, Any]:
    return {
        "rollout": None if rollout is None else rollout.hex(),
        "release": preview.release,
        "name": preview.name,
        "words": preview.words,
        "registers": preview.registers,
        "stores": preview.stores,
        "stages": [
            {"name": stage.name, "registers": stage.registers, "stores": stage.stores}
            for stage in preview.stages
        ],
        "conflicts": [
            {"rollout": one.rollout.hex(), "release": one.release, "registers": list(one.registers)}
            for one in preview.conflicts
        ],
        "warnings": list(preview.warnings),
    }
