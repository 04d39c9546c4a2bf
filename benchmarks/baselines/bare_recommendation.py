"""What a recommendation cannot do without, each by itself and as lean as it gets, in a process of its own.

Commands come as lines of JSON on standard input, answers go out the same way: microseconds of processor time
per picture, this process and the one that decodes.

decode      `PictureDecoder(STRICT)`: the structure checked, then decoded in the confined process
infer       `FlavourModel.recommend` on the decoded frame: resize, network, three flavours
statements  psycopg alone, a transaction each: a job is leased, a recommendation is inserted
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.cpu_clock import cpu_us, own_cpu_us
from benchmarks.pictures import as_jpeg, camera_frames
from inference import FlavourModel
from inference.context import Context
from inference.picture import STRICT, PictureDecoder

_LEASE = """UPDATE bare_jobs SET state = 'leased', attempts = attempts + 1, lease_token = %s,
lease_until_ms = %s, ready_at_ms = %s WHERE queue = 'recommend' AND tenant = 'bench' AND job = %s
RETURNING job, attempts, enqueued_at_ms, lease_until_ms"""
_INSERT = """INSERT INTO bare_recommendations (tenant, request, "user", created_at_ms, expires_at_ms, source,
slate, release, model_digest, model_version, picture_sha256, nobody, inference_ms, latency_ms)
VALUES ('bench', %s, %s, %s, %s, 'model', %s, 1, %s, '1', %s, 0.1, 0.2, 5)"""


class Bare:
    """The primitives.

    Args:
        model: A model's directory.
        url: Of PostgreSQL, as psycopg writes it; the product's tables are there.
    """

    def __init__(self, model: Path, url: str) -> None:
        self._pictures = [as_jpeg(frame) for frame in camera_frames(model, 640, 480, 16)]
        self._model = FlavourModel.load(model)
        self._decoder = PictureDecoder(STRICT)
        self._decoder.__enter__()
        self._frames = [self._decoder.decode(one) for one in self._pictures]
        self._database = psycopg.connect(url, autocommit=True)
        for table in ("jobs", "recommendations"):
            self._database.execute(f"CREATE TEMPORARY TABLE bare_{table} (LIKE {table} INCLUDING INDEXES)")

    def decode(self, count: int) -> float:
        """One after the other."""
        pid = self._decoder.worker_pid
        assert pid is not None
        begun = own_cpu_us() + cpu_us(pid)
        for number in range(count):
            self._decoder.decode(self._pictures[number % len(self._pictures)])
        return (own_cpu_us() + cpu_us(pid) - begun) / count

    def infer(self, count: int) -> float:
        """One after the other."""
        context = Context(hour=15.5, temperature_c=24)
        begun = own_cpu_us()
        for number in range(count):
            self._model.recommend(self._frames[number % len(self._frames)], context)
        return (own_cpu_us() - begun) / count

    def statements(self, count: int) -> float:
        """Two for each."""
        ids = [os.urandom(16) for _ in range(count)]
        for one in ids:
            self._database.execute(
                "INSERT INTO bare_jobs (tenant, job, queue, state, attempts, enqueued_at_ms, ready_at_ms) "
                "VALUES ('bench', %s, 'recommend', 'ready', 0, 1, 1)",
                [one],
            )
        token, digest = os.urandom(16), "0" * 64
        slate = [{"flavour": "lemon", "name": "Lemon", "probability": 0.25}] * 3
        begun = own_cpu_us()
        for one in ids:
            now_ms = time.time_ns() // 1_000_000
            self._database.execute(_LEASE, [token, now_ms, now_ms, one]).fetchone()
            self._database.execute(_INSERT, [one, token * 2, now_ms, now_ms, Jsonb(slate), digest, token * 2])
        return (own_cpu_us() - begun) / count


def main() -> None:
    """Do what is told, until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--url", required=True)
    args = parser.parse_args()
    bare = Bare(args.model, args.url)
    _say({"ready": True})
    for line in sys.stdin:
        told = json.loads(line)
        _say({"cpu_us": getattr(bare, told["step"])(told["count"])})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
