"""`topscoop model data`."""

from __future__ import annotations

import argparse
import json
import time

from model_registry.adapters.simulator_process import SimulatorProcesses
from model_registry.defaults import QUICK_INTERACTIONS
from model_registry.make_dataset import make_dataset
from model_registry.orders import plan_learning, plan_pairs
from model_registry.progress import ProgressBar
from wire_protocol.errors import OperatorError


def run(args: argparse.Namespace) -> int:
    """Make or go on making a data folder, and print its digest.

    Raises:
        OperatorError: Options or folder do not fit.
    """
    interactions = QUICK_INTERACTIONS if args.quick else args.interactions
    if interactions < 1 or args.size % 32:
        raise OperatorError(
            f"{interactions} interactions of {args.size} px cannot be made",
            remedy="Give at least one interaction, and a size that 32 divides.",
        )
    began = time.monotonic()
    bars: dict[str, ProgressBar] = {}

    def progress(split: str, done: int, total: int) -> None:
        bars.setdefault(split, ProgressBar(f"{args.chain} {split} chunks")).update(done, total)

    source = SimulatorProcesses(args.processes)
    dataset = make_dataset(
        source,
        args.chain,
        folder=args.out,
        size=args.size,
        splits=plan_pairs(args.pairs) if args.pairs else plan_learning(interactions),
        progress=progress,
    )
    result = {
        "dataset": str(args.out),
        "tenant": dataset.tenant,
        "interactions": 0 if args.pairs else interactions,
        "pairs": args.pairs,
        "digest": dataset.digest,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(result) if args.json else f"{args.out}: {dataset.digest}")
    return 0
