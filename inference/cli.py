"""`topscoop recommend IMAGE…`: pictures in, three flavours each."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wire_protocol.errors import OperatorError, TopscoopError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inference.context import Context
    from inference.manifest import Manifest
    from inference.model import FlavourModel
    from inference.picture import PictureDecoder


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb `recommend`."""
    parser = subparsers.add_parser(
        "recommend",
        help="recommend three flavours for the people on pictures",
        description="Recommend three flavours for whoever is on each picture (JPEG, PNG or WebP of any size).",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="a picture's file")
    parser.add_argument("--json", action="store_true", help="print JSON: an object, or a list for several pictures")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, metavar="DIR", help="a model directory")
    which.add_argument("--chain", metavar="NAME", help="the chain whose model is used (default: gelateria-sole)")
    parser.add_argument("--hour", type=float, metavar="H", help="local time of day, 0 to 23.99")
    parser.add_argument("--weekday", type=int, metavar="D", help="0 for Monday to 6 for Sunday")
    parser.add_argument("--temperature", type=float, metavar="C", help="outside, in degrees Celsius")
    parser.add_argument("--shop", metavar="KIND", help="kind of shop, as the model's manifest names it")
    parser.add_argument("--in-stock", metavar="ID,ID,…", help="flavours in stock (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer for every picture; one bad picture among several does not stop the others."""
    from inference.default_models import DEFAULT_CHAIN, default_model_dir
    from inference.model import FlavourModel
    from inference.picture import PictureDecoder

    # The decoding process starts while the model loads.
    with PictureDecoder() as decoder:
        model = FlavourModel.load(args.model or default_model_dir(args.chain or DEFAULT_CHAIN))
        context = _context(args, model.manifest)
        in_stock = _stock(args.in_stock, model.manifest)
        model.warm_up()
        entries = []
        for path in args.images:
            try:
                entries.append(_recommend(path, decoder, model, context, in_stock))
            except TopscoopError as error:
                if len(args.images) == 1:
                    raise
                entries.append(_Failure(path, error))
    if args.json:
        values = [entry.as_json() for entry in entries]
        print(json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=1))
    for entry in entries:
        entry.show(as_text=not args.json)
    return int(any(isinstance(entry, _Failure) for entry in entries))
