"""`topscoop recommend IMAGE…`: pictures in, three flavours each."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wire_protocol.errors import OperatorError

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
        description="Three flavours for whoever is on each picture (JPEG, PNG or WebP of any size).",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="a picture's file")
    parser.add_argument("--json", action="store_true", help="print an object, or a list for several pictures")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, metavar="DIR", help="a model directory")
    which.add_argument(
        "--chain", metavar="NAME", help="the chain whose model answers (default: gelateria-sole)"
    )
    parser.add_argument("--hour", type=float, metavar="H", help="local time of day, 0 to 23.99")
    parser.add_argument("--weekday", type=int, metavar="D", help="0 for Monday to 6 for Sunday")
    parser.add_argument("--temperature", type=float, metavar="C", help="outside, in degrees Celsius")
    parser.add_argument("--shop", metavar="KIND", help="kind of shop, as the model's manifest names it")
    parser.add_argument("--in-stock", metavar="IDS", help="flavours in stock: a,b,c (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer for every picture; one bad picture among several does not stop the others."""
    from inference.default_models import DEFAULT_CHAIN, default_model_dir
    from inference.errors import PictureFileError, RefusedPicture
    from inference.model import FlavourModel
    from inference.picture import PictureDecoder

    values: list[dict[str, Any]] = []
    failures = 0
    # The decoding process starts while the model loads.
    with PictureDecoder() as decoder:
        model = FlavourModel.load(args.model or default_model_dir(args.chain or DEFAULT_CHAIN))
        question = _Question(_context(args, model.manifest), _stock(args.in_stock, model.manifest))
        model.warm_up()
        for path in args.images:
            try:
                value, text = _recommend(path, decoder, model, question)
            except (PictureFileError, RefusedPicture) as error:
                if len(args.images) == 1:
                    raise
                failures += 1
                value = {"image": str(path), "error": str(error), "remedy": error.remedy}
                text = ""
                print(f"topscoop: error: {error}\n  {error.remedy}", file=sys.stderr)
            values.append(value)
            if text and not args.json:
                print(text)
    if args.json:
        print(json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=1))
    return 1 if failures else 0


@dataclass(frozen=True)
class _Question:
    """What is the same for every picture of one command."""

    context: "Context"
    in_stock: "NDArray[np.bool_] | None"


def _recommend(
    path: Path, decoder: "PictureDecoder", model: "FlavourModel", question: _Question
) -> tuple[dict[str, Any], str]:
    """One picture's answer for programs and for people."""
    from inference.errors import RefusedPicture
    from inference.picture import LOCAL
    from inference.picture.read_file import read_picture
    from inference.report import as_json, as_text
    from inference.slate import choose_slate

    data = read_picture(path, LOCAL.max_bytes)
    try:
        picture = decoder.decode(data)
    except RefusedPicture as error:
        raise RefusedPicture(error.reason, f"{path}: {error}", remedy=error.remedy) from error
    answer = model.recommend(picture, question.context, question.in_stock)
    slate = choose_slate(model.manifest, answer, question.in_stock)
    return as_json(str(path), model.manifest, answer, slate), as_text(
        str(path), model.manifest, answer, slate
    )


def _context(args: argparse.Namespace, manifest: "Manifest") -> "Context":
    from inference.context import Context

    kinds = manifest.shop_kinds
    if args.shop is not None and args.shop not in kinds:
        raise OperatorError(
            f"the model knows no shop of kind {args.shop!r}",
            remedy=f"Use one of: {', '.join(kinds)}; or leave --shop out.",
        )
    return Context(hour=args.hour, weekday=args.weekday, temperature_c=args.temperature, shop=args.shop)


def _stock(names: str | None, manifest: "Manifest") -> "NDArray[np.bool_] | None":
    import numpy as np

    if names is None:
        return None
    wanted = {name.strip() for name in names.split(",")} - {""}
    unknown = wanted.difference(manifest.flavour_ids)
    if unknown or not wanted:
        problem = (
            f"no such flavour: {', '.join(sorted(unknown))}" if unknown else "--in-stock names no flavour"
        )
        raise OperatorError(problem, remedy=f"This model knows: {', '.join(manifest.flavour_ids)}.")
    return np.array([flavour_id in wanted for flavour_id in manifest.flavour_ids], np.bool_)
