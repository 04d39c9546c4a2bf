"""`topscoop sim sheet`: one picture of many camera frames, to look at the world."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import number

if TYPE_CHECKING:
    from simulator.commands.arguments import SubParsers


def add_parser(subparsers: "SubParsers") -> None:
    """Add `sheet` to the verbs of `sim`."""
    parser = subparsers.add_parser(
        "sheet",
        help="a contact sheet of camera frames",
        description="Writes a picture of many frames as the shops' cameras see their customers; "
        "one in twelve shows the empty counter.",
    )
    parser.add_argument("output", type=Path, help="picture to write (.png or .jpg)")
    parser.add_argument(
        "--frames", type=number(int, low=1), default=24, help="how many (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same sheet (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Render and write the sheet."""
    import cv2

    from simulator.bank import CharacterBank
    from simulator.commands.demo import BANK_SEED, BANK_SIZE
    from simulator.contact_sheet import contact_sheet
    from wire_protocol.errors import OperatorError

    sheet = contact_sheet(args.frames, args.seed, bank=CharacterBank.open(BANK_SIZE, BANK_SEED))
    try:
        written = cv2.imwrite(str(args.output), sheet)
    except cv2.error:
        written = False  # no such picture format; the message below covers both
    if not written:
        raise OperatorError(
            f"{args.output} cannot be written", remedy="Give a .png or .jpg in a folder that exists."
        )
    print(f"{args.frames} frames in {args.output}")
    return 0
