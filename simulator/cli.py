"""`topscoop demo` and `topscoop sim …`: each verb is one module of `simulator.commands`."""

from typing import TYPE_CHECKING

from simulator.commands import clip, demo, register, sheet, shop

if TYPE_CHECKING:
    from simulator.commands.arguments import SubParsers


def add_commands(subparsers: "SubParsers") -> None:
    """Add `demo`, and `sim` with its verbs, to the command line."""
    demo.add_parser(subparsers)
    sim = subparsers.add_parser("sim", help="the simulated world: pictures, clips, one shop")
    verbs = sim.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb in (sheet, clip, shop, register):
        verb.add_parser(verbs)
