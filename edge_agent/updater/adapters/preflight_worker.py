"""The process that tries a model: `python -P -s -m edge_agent.updater.adapters.preflight_worker`.

It inherits two pipes and no other descriptor, leaves the network where the kernel lets it, and is limited by
the kernel in memory, processor time, files and processes before it sees a byte of the model. No defence
against foreign code: there is no system-call filter. The model is signed; this finds mistakes.

stdin:   <I> length, JSON {"directory", "memory_bytes", "cpu_s"}
stdout:  <I> length, JSON {"ready": true}, once what takes time is imported;
         <I> length, JSON as `report` makes it
"""

import json
import os
import resource
import struct
import sys
from pathlib import Path
from time import sleep, thread_time_ns
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from wire_protocol.fleet_messages import UpdateReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference.context import Context
    from inference.model import FlavourModel

LENGTH: Final = struct.Struct("<I")
MESSAGE_MAX_BYTES: Final = 16_384
ROUND_RUNS: Final = 150
ROUNDS: Final = 12
PAUSE_S: Final = 0.1
"""A till is busy at times, and a refusal is for good: a model is too slow only if each round says so. One
that keeps its budget takes one round; one that breaks it in the middle too, three without a pause."""
MEASURE_S: Final = 5.0
"""Of processor time, for all rounds."""
HOPELESS_ROUNDS: Final = 3
HOPELESS: Final = 4
"""A round ends early when the network takes so many times its budget in the middle."""
LOOK_AFTER_RUNS: Final = 20

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_DESCRIPTORS: Final = 16
_NS_PER_MS: Final = 1e6
_NO_MEMORY: Final = ("bad_alloc", "failed to allocate", "allocate memory", "out of memory", "bad allocation")


def main() -> None:
    """Get ready, take one model, say what it is worth."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _leave_network()
    import inference.golden  # noqa: F401 - what takes time, before anybody waits for it

    _send(sink, {"ready": True})
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return
    task = json.loads(source.read(LENGTH.unpack(head)[0]))
    _confine(task["memory_bytes"], task["cpu_s"])
    _send(sink, report(Path(task["directory"])))


def report(directory: Path) -> dict[str, Any]:
    """What the model in `directory` is worth: `reason` None and measures, or a reason and words."""
    from inference import errors

    reasons: tuple[tuple[type[Exception], UpdateReason], ...] = (
        (errors.DigestMismatch, UpdateReason.DIGEST_MISMATCH),
        (errors.ModelFileMissing, UpdateReason.DISK),
        (errors.ManifestError, UpdateReason.WRONG_CONTRACT),
        (errors.NotAModel, UpdateReason.NOT_A_MODEL),
        (errors.WrongContract, UpdateReason.WRONG_CONTRACT),
        (errors.BrokenAnswer, UpdateReason.BROKEN_ANSWER),
        (errors.GoldenMismatch, UpdateReason.GOLDEN_MISMATCH),
        (errors.UnusableGolden, UpdateReason.GOLDEN_MISMATCH),
    )
    try:
        return _examine(directory)
    except MemoryError:
        return _refused(UpdateReason.TOO_LARGE, "the model needs more memory than a preflight may take")
    except errors.InferenceError as error:
        text = str(error)
        if any(word in text.lower() for word in _NO_MEMORY):
            return _refused(UpdateReason.TOO_LARGE, f"the model needs more memory than it may take: {text}")
        for kind, reason in reasons:
            if isinstance(error, kind):
                return _refused(reason, text)
        return _refused(UpdateReason.BROKEN_ANSWER, text)


def _examine(directory: Path) -> dict[str, Any]:
    from inference.errors import ModelFileMissing
    from inference.golden import Golden, check
    from inference.model import FlavourModel

    model = FlavourModel.load(directory)
    try:
        data = (directory / "golden.cbor").read_bytes()
    except OSError as error:
        raise ModelFileMissing(f"cannot read golden.cbor: {error.strerror}") from error
    golden = Golden.from_bytes(data)
    check(model, golden)
    _probe(model)
    return _measure(
        model, [(_as_camera(frame.jpeg), frame.context, frame.in_stock) for frame in golden.frames]
    )


def _probe(model: "FlavourModel") -> None:
    """Pictures that nobody chose, and a nearly empty shelf: what fails only there fails here."""
    import numpy as np

    from inference.context import Context

    rng = np.random.default_rng(7)
    flavours = len(model.manifest.flavours)
    for pixels in (
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        rng.integers(0, 256, (480, 640, 3), np.uint8),
    ):
        for left in (flavours, 3, 1, 0):
            stock = np.zeros(flavours, np.bool_)
            stock[:left] = True
            model.recommend(pixels, Context(hour=23.5, weekday=6, temperature_c=41.0), stock)
            model.recommend(pixels, Context(), stock)


def _as_camera(jpeg: bytes) -> "NDArray[Any]":
    """A golden picture in a camera's size, so that the time to fit it counts too."""
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "golden frames were checked before"
    return cv2.resize(picture, (640, 480))


def _measure(
    model: "FlavourModel", frames: "list[tuple[NDArray[Any], Context, NDArray[Any]]]"
) -> dict[str, Any]:
    budget_ms = model.manifest.latency_budget_ms.p99
    best: list[float] = []
    runs, started = 0, thread_time_ns()
    for done in range(1, ROUNDS + 1):
        times: list[float] = []
        for number in range(ROUND_RUNS):
            # Processor time: this process is nice and the till is busy, and neither is the model's fault. One
            # thread that waits for nothing takes no longer than that, once it may run.
            before = thread_time_ns()
            model.recommend(*frames[number % len(frames)])
            times.append((thread_time_ns() - before) / _NS_PER_MS)
            if number == LOOK_AFTER_RUNS and sorted(times)[len(times) // 2] > HOPELESS * budget_ms:
                break
        runs += len(times)
        times.sort()
        if not best or _share(times, 0.99) < _share(best, 0.99):
            best = times
        hopeless = _share(best, 0.5) > budget_ms
        tired = thread_time_ns() - started > MEASURE_S * 1e9
        if _share(best, 0.99) <= budget_ms or tired or (hopeless and done == HOPELESS_ROUNDS):
            break
        if not hopeless:
            sleep(PAUSE_S)
    p50, p99 = _share(best, 0.5), _share(best, 0.99)
    if p99 > budget_ms:
        return _refused(
            UpdateReason.TOO_SLOW,
            f"p99 is {p99:.2f} ms of processor time on this register, the model's budget is {budget_ms:g} ms",
        )
    return {
        "reason": None,
        "p50_ms": p50,
        "p99_ms": p99,
        "runs": runs,
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _share(times: list[float], share: float) -> float:
    """A quantile of sorted times."""
    return times[min(len(times) - 1, int(share * len(times)))]


def _refused(reason: UpdateReason, words: str) -> dict[str, Any]:
    return {"reason": reason.value, "words": words[:1000]}


def _leave_network() -> None:
    """Into a network of its own, where there is nobody; some kernels do not let a user do that."""
    import ctypes

    unshare = ctypes.CDLL(None, use_errno=True).unshare
    unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _confine(memory_bytes: int, cpu_s: int) -> None:
    """Give up, for good, everything that trying a model does not need."""
    # Where the service or the till runs out of memory, this process goes, and not the agent.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = int(used.ru_utime + used.ru_stime) + 1
    for kind, bound, last in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes, 0),
        # The signal of the soft limit says why; at the hard one it would be SIGKILL, as without memory.
        (resource.RLIMIT_CPU, spent_s + cpu_s, 2),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        most = bound + last if hard == resource.RLIM_INFINITY else min(bound + last, hard)
        resource.setrlimit(kind, (limit, most))


def _send(sink: BinaryIO, value: dict[str, Any]) -> None:
    data = json.dumps(value).encode()
    sink.write(LENGTH.pack(len(data)) + data)
    sink.flush()


if __name__ == "__main__":
    os.environ.clear()
    main()
