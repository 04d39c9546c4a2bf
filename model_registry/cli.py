"""`topscoop model …`: the options of every verb; each imports what it needs when it runs."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model_registry.commands import (
    alias,
    init,
    keys,
    log,
    minimum,
    publish,
    renew,
    root,
    service_keys,
    sign,
    verify,
    withdraw,
)
from model_registry.defaults import QUICK_INTERACTIONS, QUICK_STEPS, SIZE

_RELEASE_VERBS = (
    init,
    keys,
    root,
    sign,
    publish,
    withdraw,
    alias,
    minimum,
    service_keys,
    log,
    verify,
    renew,
)
"""Modules of the release registry, each with `add_parser` and the functions that its options name."""


def add_commands(subparsers: Any) -> None:
    """Add `model` and its verbs to the command line."""
    model = subparsers.add_parser(
        "model",
        help="make a model, sign it, release it",
        description=(
            "From purchases to a model directory: data, then train, quantize, evaluate. From there to the"
            " registers: sign, publish; the chain's signed repository keeps every release."
        ),
    )
    verbs = model.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_data(verbs)
    _add_train(verbs)
    _add_quantize(verbs)
    _add_evaluate(verbs)
    for module in _RELEASE_VERBS:
        for parser in module.add_parser(verbs):
            parser.set_defaults(run=_needing("registry", parser.get_default("run")))


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return parser


def _run(module: str, args: argparse.Namespace) -> int:
    """Import a command's module and run it. Raises MissingPackages."""
    return _needing("train", lambda args: importlib.import_module(f"model_registry.{module}").run(args))(args)


def _needing(extra: str, run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, with a sentence instead of a traceback where packages of its extra are missing."""

    def guarded(args: argparse.Namespace) -> int:
        from model_registry.errors import MissingPackages

        try:
            return run(args)
        except ModuleNotFoundError as error:
            raise MissingPackages(
                f"this command needs the package {error.name}, which is not installed",
                remedy=f"Install what it needs: pip install 'topscoop[{extra}]'",
            ) from error

    return guarded


def _add_data(verbs: Any) -> None:
    data = _verb(verbs, "data", "make a data set of simulated orders; run it again to go on after a stop")
    data.add_argument("--chain", required=True, help="the tenant, such as gelateria-sole")
    data.add_argument(
        "--interactions", type=int, default=100_000, help="orders to learn from (default: %(default)s)"
    )
    data.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_INTERACTIONS} orders: a first useful model in 15 minutes",
    )
    data.add_argument(
        "--pairs",
        type=int,
        default=0,
        metavar="N",
        help="instead: N pairs of frames that differ only in what must not matter, without purchases",
    )
    data.add_argument("--out", type=Path, required=True, metavar="DIR", help="the data folder to write")
    data.add_argument(
        "--size", type=int, default=SIZE, help="side of the frames in pixels (default: %(default)s)"
    )
    data.add_argument("--processes", type=int, default=2, help="processes that render (default: %(default)s)")
    data.set_defaults(run=_run_data)


def _run_data(args: argparse.Namespace) -> int:
    return _run("data_command", args)


def _add_train(verbs: Any) -> None:
    train = _verb(verbs, "train", "train teacher and student; run it again to go on after a stop")
    train.description = (
        "Train teacher and student. Several data sets share one trunk, with a head per chain: only for data"
        " of one owner, such as the simulated chains; a real tenant is trained alone."
    )
    train.add_argument(
        "data", type=Path, nargs="+", metavar="DATA", help="data folders of `topscoop model data`"
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="the training folder to write")
    train.add_argument("--quick", action="store_true", help="few steps, no teacher: useful within 15 minutes")
    train.add_argument(
        "--limit", type=int, metavar="N", help="learn from the first N orders of each chain only"
    )
    train.add_argument(
        "--teacher-steps", type=int, default=3000, metavar="N", help="0 for none (default: %(default)s)"
    )
    train.add_argument("--teacher", type=Path, metavar="DIR", help="training folder whose teacher to ask")
    train.add_argument("--teacher-size", type=int, default=96, metavar="PX", help="(default: %(default)s)")
    train.add_argument(
        "--student-steps", type=int, default=12_000, metavar="N", help="(default: %(default)s)"
    )
    train.add_argument(
        "--pairs",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="data folders of `topscoop model data --pairs`: both frames of a pair must be answered alike",
    )
    train.add_argument(
        "--pair-weight",
        type=float,
        default=1.0,
        metavar="W",
        help="of the pairs in the loss (default: %(default)s)",
    )
    train.add_argument(
        "--rate", type=float, default=3e-3, help="the student's, at its peak (default: %(default)s)"
    )
    train.add_argument(
        "--soft-weight",
        type=float,
        default=0.6,
        metavar="W",
        help="share of the teacher's opinion in the student's loss (default: %(default)s)",
    )
    train.add_argument(
        "--batch", type=int, default=64, metavar="N", help="frames a step (default: %(default)s)"
    )
    train.add_argument(
        "--threads", type=int, default=2, metavar="N", help="1 on a busy machine (default: %(default)s)"
    )
    train.add_argument(
        "--begin-with",
        type=Path,
        metavar="DIR",
        help="training folder whose student is where this one begins",
    )
    train.add_argument("--seed", type=int, default=1, help="of order and augmentation (default: %(default)s)")
    train.set_defaults(run=_run_train)


def _run_train(args: argparse.Namespace) -> int:
    if args.quick:
        args.teacher_steps, args.student_steps = 0, QUICK_STEPS
    return _run("train_command", args)


def _add_quantize(verbs: Any) -> None:
    quantize = _verb(verbs, "quantize", "make a trained student an int8 model directory")
    quantize.add_argument("training", type=Path, help="training folder of `topscoop model train`")
    quantize.add_argument("data", type=Path, help="the chain's data folder: calibration and validation")
    quantize.add_argument(
        "--out",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="writes DIR/<tenant> (default: models)",
    )
    quantize.add_argument("--version", help="version in the manifest (default: today's date)")
    quantize.add_argument("--created", help="instant in the manifest (default: now)")
    quantize.set_defaults(run=_run_quantize)


def _run_quantize(args: argparse.Namespace) -> int:
    return _run("quantize_command", args)


def _add_evaluate(verbs: Any) -> None:
    evaluate = _verb(
        verbs, "evaluate", "measure models on orders nobody learned from, or check their reports"
    )
    evaluate.add_argument(
        "models", type=Path, nargs="*", metavar="MODEL", help="model directories (default: all of models/)"
    )
    evaluate.add_argument(
        "--check", action="store_true", help="compute the committed figures again; fail beyond 0.1 point"
    )
    evaluate.add_argument(
        "--training",
        type=Path,
        default=Path("data/training"),
        metavar="DIR",
        help="training folder: fp32 student and teacher (default: %(default)s; not read by --check)",
    )
    evaluate.add_argument(
        "--teacher", type=Path, metavar="DIR", help="training folder of the teacher, where it is another"
    )
    evaluate.add_argument(
        "--curve", type=Path, nargs="*", default=[], metavar="DIR", help="training folders with fewer orders"
    )
    evaluate.add_argument(
        "--data",
        type=Path,
        default=Path("data/evaluation"),
        metavar="DIR",
        help="where the evaluation frames are rendered and kept (default: %(default)s)",
    )
    evaluate.add_argument(
        "--processes", type=int, default=2, help="processes that render (default: %(default)s)"
    )
    evaluate.set_defaults(run=_run_evaluate)


def _run_evaluate(args: argparse.Namespace) -> int:
    return _run("evaluate_command", args)
