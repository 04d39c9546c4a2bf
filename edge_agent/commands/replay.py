"""`topscoop edge replay CLIP`: a recorded clip through the very same pipeline as the camera's pictures."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_agent.adapters.clip import Clip, ClipPicture
    from edge_agent.commands.progress import Progress
    from edge_agent.replay import Replay, Visit

_MOST_PRINTED = 3


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "replay",
        help="run a recorded clip through the agent",
        description="What the agent would have recommended to the people on a clip. Interactions open and "
        "close as in presence mode, or every N pictures. Nothing is recorded or sent.",
    )
    parser.add_argument(
        "clip", type=Path, metavar="CLIP", help="a file that FFmpeg reads, a picture, or a folder of pictures"
    )
    parser.add_argument(
        "--every", type=_positive, metavar="N", help="recommend every N pictures, whoever is there"
    )
    parser.add_argument(
        "--fps", type=float, metavar="F", help="pictures per second, if the clip does not say"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write that JSON object to a file as well"
    )
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which model, as `commands.setup` reads them."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration of the agent to take after"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, metavar="DIR", help="a model directory")
    which.add_argument("--chain", metavar="NAME", help="the chain whose model answers")


def run(args: argparse.Namespace) -> int:
    """Read the clip to its end; exit 0 also when nobody is on it."""
    from edge_agent.adapters.clip import Clip
    from edge_agent.adapters.clock import SystemClock
    from edge_agent.commands.progress import Progress
    from edge_agent.commands.setup import load_setup
    from edge_agent.replay import Replay

    if args.output:
        _write(args.output, "")  # before minutes of work, not after them
    clip = Clip(args.clip, fps=args.fps)
    try:
        setup = load_setup(args)
        replay = Replay(setup.config, setup.slot, SystemClock())
        with Progress(args.clip.name, clip.length) as progress:
            pictures = _watched(clip, progress)
            begun = replay.every(pictures, args.every) if args.every else replay.by_presence(pictures)
            visits = list(_printed(begun, progress, quiet=args.json))
    finally:
        clip.close()
    result = _result(args.clip, setup.name, replay, visits)
    if args.output:
        _write(args.output, json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(_summary(result, by_presence=not args.every))
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _watched(clip: "Clip", progress: "Progress") -> Iterator["ClipPicture"]:
    for done, picture in enumerate(clip, start=1):
        progress.show(done)
        yield picture


def _printed(visits: Iterator["Visit"], progress: "Progress", *, quiet: bool) -> Iterator["Visit"]:
    for visit in visits:
        if not quiet:
            progress.clear()
            print(_line(visit), flush=True)
        yield visit


def _line(visit: "Visit") -> str:
    impression = visit.impression
    offers = ", ".join(
        offer.name if offer.probability is None else f"{offer.name} {offer.probability:.0%}"
        for offer in impression.slate[:_MOST_PRINTED]
    )
    why = f" ({impression.source.value}: {impression.reason.value})" if impression.reason else ""
    return f"{visit.at_s:8.2f} s  {offers}{why}  [{impression.total_ms:.2f} ms]"


def _result(path: Path, model: str, replay: "Replay", visits: list["Visit"]) -> dict[str, Any]:
    from edge_agent.quantiles import quantiles

    tally = replay.tally
    inference = [v.impression.inference_ms for v in visits if v.impression.inference_ms is not None]
    return {
        "clip": str(path),
        "model": model,
        "pictures": tally.pictures,
        "seconds": round(tally.seconds, 3),
        "looked_at": tally.looked_at,
        "somebody": tally.somebody,
        "interactions": [_described(visit) for visit in visits],
        "latency_ms": {
            "inference": quantiles(inference),
            "recommendation": quantiles([visit.impression.total_ms for visit in visits]),
            "look": quantiles(tally.look_ms),
        },
    }


def _described(visit: "Visit") -> dict[str, Any]:
    from edge_agent.moment import as_event

    return {"at_s": round(visit.at_s, 3), "until_s": visit.until_s, **as_event(visit.impression)}


def _summary(result: dict[str, Any], *, by_presence: bool) -> str:
    from edge_agent.quantiles import in_words

    read = f"{result['pictures']} pictures, {result['seconds']:.1f} s, model {result['model']}"
    count, somebody, looked_at = len(result["interactions"]), result["somebody"], result["looked_at"]
    if not somebody:
        said = f"Nobody stands at the till in any of the {looked_at} pictures that were looked at"
        said += ": nothing to recommend." if by_presence else ": best-sellers each time."
    elif not count:
        said = (
            f"Somebody was seen in {somebody} of {looked_at} looks, but never long enough to be a customer."
        )
    else:
        said = (
            f"{count} recommendation{'s' if count > 1 else ''}; somebody in {somebody} of {looked_at} looks."
        )
    latency = result["latency_ms"]["recommendation"] or result["latency_ms"]["look"]
    return f"{read}\n{said}\nlatency: {in_words(latency)}"


def _write(path: Path, text: str) -> None:
    from wire_protocol.errors import OperatorError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be written: {error.strerror}", remedy="Name another file for --output."
        ) from error
