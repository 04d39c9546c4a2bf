"""`topscoop rollout start|approve|promote|pause|resume|return`: what a person does with one rollout."""

import argparse
import json

from cloud.rollout.commands.common import add_common, open_desk, rollout_of

_HELP = {
    "start": "begin: the controller tells the first stage",
    "approve": "agree with somebody else's draft",
    "promote": "move on to the next stage, although gates still wait",
    "pause": "tell nobody else for now",
    "resume": "go on after a pause",
    "return": "bring every register back to the release that it ran before",
}
_DONE = {
    "start": "started",
    "approve": "approved",
    "promote": "promoted",
    "pause": "paused",
    "resume": "resumed",
    "return": "returns",
}


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs to `topscoop rollout`."""
    for verb, words in _HELP.items():
        parser = verbs.add_parser(verb, help=words, description=f"{words[0].upper()}{words[1:]}.")
        parser.add_argument("rollout", metavar="ROLLOUT", help="its id")
        needed = verb != "start"
        parser.add_argument(
            "--reason", required=needed, default="", metavar="WORDS", help="why; the timeline shows it"
        )
        add_common(parser)
        parser.set_defaults(run=run, verb=verb)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from cloud.rollout.values import State

    rollout = rollout_of(args)
    with open_desk(args) as (desk, principal):
        do = {
            "start": desk.start,
            "approve": desk.approve,
            "promote": desk.promote,
            "pause": desk.pause,
            "resume": desk.resume,
            "return": desk.return_,
        }[args.verb]
        do(principal, rollout, args.reason)
        state = desk.rollout(principal, rollout).rollout.state
    if args.json:
        print(json.dumps({"rollout": rollout.hex(), "done": args.verb, "state": state.value}))
    else:
        # A draft told nobody: nothing has to come back.
        given_up = args.verb == "return" and state is State.RETURNED
        print(f"rollout {rollout.hex()}: {'given up' if given_up else _DONE[args.verb]}")
        print(f"  look: topscoop rollout status {rollout.hex()} --tenant {args.tenant}")
    return 0
