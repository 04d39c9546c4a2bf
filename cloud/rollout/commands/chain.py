"""`topscoop rollout freeze|unfreeze|stop|unstop|approval`: what holds for every rollout of a chain."""

import argparse
import json

from cloud.rollout.commands.common import add_common, open_desk

_HELP = {
    "freeze": "tell no register anything new, in every rollout of the chain",
    "unfreeze": "end a freeze",
    "stop": "emergency stop: every running rollout of the chain returns",
    "unstop": "end an emergency stop; what returned stays returned",
}


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs to `topscoop rollout`."""
    for verb, words in _HELP.items():
        parser = verbs.add_parser(verb, help=words, description=f"{words[0].upper()}{words[1:]}.")
        parser.add_argument("--reason", required=True, metavar="WORDS", help="why; pages show it")
        add_common(parser)
        parser.set_defaults(run=run, verb=verb)
    approval = verbs.add_parser(
        "approval",
        help="whether a second person must approve each rollout",
        description="Whether a second person must approve each rollout before it starts.",
    )
    approval.add_argument("wanted", choices=("on", "off"), help="on: it must be approved")
    add_common(approval)
    approval.set_defaults(run=run_approval)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with open_desk(args) as (desk, principal):
        do = {"freeze": desk.freeze, "unfreeze": desk.unfreeze, "stop": desk.stop, "unstop": desk.unstop}
        do[args.verb](principal, args.reason)
    print(
        json.dumps({"tenant": args.tenant, "done": args.verb}) if args.json else f"{args.tenant}: {args.verb}"
    )
    return 0


def run_approval(args: argparse.Namespace) -> int:
    """Switch it."""
    with open_desk(args) as (desk, principal):
        desk.require_approval(principal, wanted=args.wanted == "on")
    if args.json:
        print(json.dumps({"tenant": args.tenant, "approval": args.wanted == "on"}))
    else:
        print(f"{args.tenant}: approval by a second person is {args.wanted}")
    return 0
