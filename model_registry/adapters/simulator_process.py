"""The simulated world as a source of orders; it runs as processes of its own and hands over files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model_registry.errors import WorldFailed
from model_registry.orders import Catalogue, Orders, SplitPlan
from model_registry.ports import Chunk
from wire_protocol.errors import OperatorError

_LOOK_AGAIN_S = 0.1
_ROWS = ("order", "hour", "weekday", "temperature_c", "shop", "purchase", "truth", "blind_truth")


class SimulatorProcesses:
    """Renders on `processes` cores; nothing of the simulator is imported here."""

    def __init__(self, processes: int) -> None:
        self._processes = max(1, processes)

    def catalogue(self, tenant: str) -> Catalogue:
        """Describe a chain.

        Raises:
            OperatorError: The simulator knows no such chain, or is not installed.
        """
        answer = subprocess.run(  # noqa: S603 - our own program, no shell
            [*_COMMAND, "describe", tenant], capture_output=True, text=True, check=False, env=_environment()
        )
        if answer.returncode:
            raise OperatorError(
                f"the simulator does not describe {tenant!r}: {_last_words(answer.stderr)}",
                remedy="Give a simulated chain's id; install what is missing: pip install 'topscoop[sim]'",
            )
        return Catalogue.from_json(json.loads(answer.stdout))

    def chunks(
        self, tenant: str, split: SplitPlan, wanted: list[tuple[int, int]], size: int
    ) -> Iterator[Chunk]:
        """Yield the wanted chunks as they are rendered.

        Raises:
            WorldFailed: A process ended with an error.
        """
        if not wanted:
            return
        with tempfile.TemporaryDirectory(prefix="topscoop-orders-") as folder:
            workers = []
            for share in _shares(wanted, self._processes):
                request = {
                    "tenant": tenant,
                    "split": split.name,
                    "size": size,
                    "chunks": share,
                    "out": folder,
                }
                workers.append(
                    subprocess.Popen(  # noqa: S603 - our own program, no shell
                        [*_COMMAND, "render", json.dumps(request)],
                        stderr=subprocess.PIPE,
                        text=True,
                        env=_environment(),
                    )
                )
            try:
                yield from _collect(Path(folder), workers, len(wanted))
            finally:
                for worker in workers:
                    worker.kill()
                    worker.communicate()


_COMMAND = (sys.executable, "-m", "simulator.orders")


def _environment() -> dict[str, str]:
    """Let the process find the project wherever the command was started."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def _shares(wanted: list[tuple[int, int]], processes: int) -> list[list[tuple[int, int]]]:
    """Divide chunks in runs of neighbours, because neighbours share their customers' drawings."""
    each = -(-len(wanted) // processes)
    return [wanted[start : start + each] for start in range(0, len(wanted), each)]


def _collect(folder: Path, workers: list[subprocess.Popen[str]], count: int) -> Iterator[Chunk]:
    taken = 0
    while taken < count:
        ended = all(worker.poll() is not None for worker in workers)
        ready = sorted(path for path in folder.glob("*.npz") if not path.name.startswith("."))
        for path in ready:
            yield _read(path)
            path.unlink()
            taken += 1
        failed = next((worker for worker in workers if worker.poll()), None)
        if failed is not None or (ended and taken < count and not ready):
            errors = "" if failed is None or failed.stderr is None else failed.stderr.read()
            raise WorldFailed(
                f"the simulator ended early: {_last_words(errors)}",
                remedy="Run the same command again; it goes on where it stopped.",
            )
        if not ready:
            time.sleep(_LOOK_AGAIN_S)


def _read(path: Path) -> Chunk:
    with np.load(path) as stored:
        rows = {name: stored.get(name) for name in _ROWS}
        frames = stored["frames"]
    return Chunk(int(path.stem), Orders(**rows), frames)


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " ".join(lines[-2:]) or "it said nothing"
