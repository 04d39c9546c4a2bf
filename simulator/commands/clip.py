"""`topscoop sim clip`: a short clip of one shop's customers, for `topscoop edge replay`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import add_shop_arguments, chosen_shop, number

if TYPE_CHECKING:
    from simulator.commands.arguments import SubParsers

FRAMES_PER_SECOND = 15


def add_parser(subparsers: "SubParsers") -> None:
    """Add `clip` to the verbs of `sim`."""
    parser = subparsers.add_parser(
        "clip",
        help="a clip of a shop's customers, for `topscoop edge replay`",
        description="Writes what a shop's camera sees for some seconds: customers come, choose and leave.",
    )
    parser.add_argument("output", type=Path, help="clip to write (.avi, Motion JPEG)")
    add_shop_arguments(parser)
    parser.add_argument("--seconds", type=number(float, low=1), default=20.0, help="default: %(default)s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Render and write the clip."""
    import cv2

    from simulator.bank import CharacterBank
    from simulator.commands.demo import BANK_SEED, BANK_SIZE
    from simulator.demo.cameras import render_visit
    from simulator.scene import FRAME_HEIGHT, FRAME_WIDTH
    from simulator.shop_simulator import ShopSimulator
    from wire_protocol.errors import OperatorError

    chain, shop = chosen_shop(args)
    bank = CharacterBank.open(BANK_SIZE, BANK_SEED)
    simulator = ShopSimulator(chain, shop, args.seed, draw=bank.draw)
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(
        str(args.output), cv2.CAP_OPENCV_MJPEG, code, FRAMES_PER_SECOND, (FRAME_WIDTH, FRAME_HEIGHT)
    )
    if not writer.isOpened():
        raise OperatorError(
            f"{args.output} cannot be written",
            remedy="Give a file that ends in .avi, in a folder that exists.",
        )
    visit = simulator.next_visit(0.0)
    served = 0
    for index in range(round(args.seconds * FRAMES_PER_SECOND)):
        now_s = index / FRAMES_PER_SECOND
        if now_s >= visit.leaves_s:
            served += 1
            visit = simulator.next_visit(now_s)
        writer.write(render_visit(bank, shop, visit, now_s))
    writer.release()
    print(f"{args.seconds:g} s of {shop.id} with {served} customers in {args.output}")
    return 0
