"""`python -m benchmarks.noisy_neighbours OPTIONS`: chains that use up their limits, and try for more.

Two people at each chain: one uploads pictures and waits for their recommendations, as often a minute as one
person may; the other asks for signed URLs much faster than that, uploads nothing, and is refused. What came
of it is written to a file every second.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.http_client import HttpError
from benchmarks.phone import Phone, Refused
from benchmarks.pictures import as_jpeg, camera_frames


@dataclass(frozen=True, slots=True)
class Options:
    """What it is told, as JSON.

    Attributes:
        port: Of the API.
        chains: Host, and the bearer tokens of its two people.
        walks_hz: Pictures a second of the first.
        floods_hz: Signed URLs a second that the second asks for.
        model: Directory whose pictures are sent.
        counts: File for what came of it.
    """

    port: int
    chains: list[tuple[str, str, str]]
    walks_hz: float
    floods_hz: float
    model: str
    counts: str

    def as_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


class _Counts:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter: Counter[str] = Counter()

    def add(self, what: str) -> None:
        with self._lock:
            self._counter[what] += 1

    def as_json(self) -> str:
        with self._lock:
            return json.dumps(dict(self._counter))


def main() -> None:
    """Until it is killed."""
    options = Options(**json.loads(sys.argv[1]))
    picture = as_jpeg(camera_frames(Path(options.model), 640, 480, 1)[0])
    counts = _Counts()
    for number, (host, first, second) in enumerate(options.chains):
        share = number / len(options.chains)
        for bearer, rate_hz in ((first, options.walks_hz), (second, options.floods_hz)):
            phone = Phone(options.port, host, bearer)
            send = partial(_walk if bearer == first else _ask, phone, picture)
            work = (send, phone.hang_up, rate_hz, share / rate_hz, counts)
            threading.Thread(target=_go_on, args=work, daemon=True).start()
    while True:
        time.sleep(1.0)
        part = Path(f"{options.counts}.part")
        part.write_text(counts.as_json())
        part.rename(options.counts)


def _walk(phone: Phone, picture: bytes) -> str:
    phone.walk(picture)
    return "pictures answered"


def _ask(phone: Phone, picture: bytes) -> str:
    phone.ask(phone.begin(picture), 201)
    return "signed URLs"


def _go_on(
    send: Callable[[], str], hang_up: Callable[[], None], rate_hz: float, first_s: float, counts: _Counts
) -> None:
    """Evenly, without catching up on what was missed while this process was stopped."""
    time.sleep(first_s)
    while True:
        due = time.monotonic() + 1 / rate_hz
        try:
            counts.add(send())
        except Refused as refused:
            counts.add(f"refused with {refused.status}")
        except (HttpError, OSError):
            counts.add("connections broken")
            hang_up()
        time.sleep(max(due - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
