"""`topscoop edge bench`: what recommending costs on this till."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from edge_agent.commands.replay import add_model_arguments

if TYPE_CHECKING:
    from edge_agent.latency import Measurement


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "bench",
        help="measure the latency of this till",
        description="From a picture to three flavours on this machine: in a hot loop, and at the pace of a "
        "camera, which is what customers get. Stop the agent first: it would be measured too.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--seconds",
        type=float,
        default=5.0,
        metavar="S",
        help="for each measurement at camera pace (default 5)",
    )
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit 0 whatever the figures are, `doctor` judges them."""
    import gc
    import time

    from edge_agent.adapters.clock import SystemClock
    from edge_agent.adapters.cpu import describe_cpu
    from edge_agent.commands.progress import Progress
    from edge_agent.commands.setup import load_setup
    from edge_agent.latency import Bench

    setup = load_setup(args)
    bench = Bench(setup.model, SystemClock(), sleep=time.sleep)
    gc.collect()
    gc.freeze()
    with Progress("measuring", bench.steps) as progress:
        measurements = []
        for measurement in bench.run(cadence_s=args.seconds):
            measurements.append(measurement)
            progress.show(len(measurements))
    if args.json:
        print(json.dumps(_result(setup.name, describe_cpu(), measurements), ensure_ascii=False))
    else:
        print(f"{setup.name} on {describe_cpu()}\n{_table(measurements)}")
    return 0


def _result(model: str, cpu: str, measurements: list["Measurement"]) -> dict[str, Any]:
    return {
        "model": model,
        "cpu": cpu,
        "latency_ms": {m.name: {**(m.quantiles or {}), "n": m.count} for m in measurements},
    }


def _table(measurements: list["Measurement"]) -> str:
    width = max(len(m.title) for m in measurements)
    lines = [f"{'milliseconds':{width}}     p50     p90     p99       n"]
    for m in measurements:
        figures = "".join(f"{value:8.3f}" for value in (m.quantiles or {}).values())
        lines.append(f"{m.title:{width}}{figures}{m.count:8}")
    return "\n".join(lines)
