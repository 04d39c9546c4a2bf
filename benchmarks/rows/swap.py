"""Exchanging the model while customers come: nobody may notice."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from benchmarks import servers
from benchmarks.measure import in_windows, spread
from benchmarks.open_loop import Answered, OpenLoop
from benchmarks.processes import ProgramError
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_RATE_HZ = 200
_CYCLE_S = 1.5
"""From one exchange to the next."""
_QUIET_S = 0.8
"""Before each exchange: what the exchange is compared with, taken in the same minute."""
_AFTER_S = 0.1
"""A cold cache, or a model that is torn down late, shows after the answer; this belongs to the exchange."""
_PRODUCER_VERSION = b"\x1a"
"""Field 3 of an ONNX ModelProto, length-delimited; the last one counts."""


def swap(setting: Setting) -> Outcome:
    """Two hundred requests a second on a fixed schedule, and a new model every second and a half."""
    swaps = setting.count(40, 5)
    twin = make_twin(setting.model_dir, servers.new_folder(setting.work_dir, "twin") / "model")
    with servers.agent_with_camera(setting, width=640, height=480, fps=15) as till:
        setting.say(f"{_RATE_HZ} requests a second, {swaps} exchanges")
        answers, windows = _load_and_swap(till, [twin, setting.model_dir], swaps)
    return _outcome(answers, windows)


def make_twin(model_dir: Path, target: Path) -> Path:
    """The same model under another digest and version, so that an exchange really loads something."""
    shutil.copytree(model_dir, target)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    network = target / manifest["model"]["file"]
    told = b"twin"
    data = network.read_bytes() + _PRODUCER_VERSION + bytes([len(told)]) + told
    network.write_bytes(data)
    manifest["model"] |= {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
    manifest["version"] += ".1"
    (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return target


def _load_and_swap(
    till: servers.Server, directories: list[Path], swaps: int
) -> tuple[list[Answered], list[tuple[float, float]]]:
    """All answers, and from when to when each exchange went on (time.perf_counter())."""
    request = till.request("POST", "/v1/interactions", b"{}")
    load = OpenLoop(*till.address, request, rate_hz=_RATE_HZ, seconds=_CYCLE_S * (swaps + 1))
    load_is_over = threading.Event()
    with ThreadPoolExecutor(1, "swaps") as pool:
        swapping = pool.submit(_swap_again_and_again, till, directories, swaps, load_is_over)
        try:
            answers = load.run()
        finally:
            load_is_over.set()
        return answers, swapping.result()


def _swap_again_and_again(
    till: servers.Server, directories: list[Path], swaps: int, stop: threading.Event
) -> list[tuple[float, float]]:
    windows: list[tuple[float, float]] = []
    while len(windows) < swaps and not stop.wait(_CYCLE_S):
        body = json.dumps({"model_dir": str(directories[len(windows) % len(directories)])}).encode()
        begun = time.perf_counter()
        status, answer = till.ask("PUT", "/v1/model", body)
        windows.append((begun, time.perf_counter()))
        if status not in {200, 204}:
            raise ProgramError(f"PUT /v1/model answered {status}: {answer[:300].decode(errors='replace')}")
    return windows


def _outcome(answers: list[Answered], windows: list[tuple[float, float]]) -> Outcome:
    timed = [(answer.due_s, answer.latency_ms) for answer in answers]
    before = spread(in_windows(timed, [(begun - _QUIET_S, begun) for begun, _ in windows]))
    during = spread(in_windows(timed, [(begun, ended + _AFTER_S) for begun, ended in windows]))
    failed = [answer for answer in answers if answer.status != 201]
    models = {json.dumps(json.loads(answer.body)["model"]) for answer in answers if answer.status == 201}
    if len(models) < 2:
        raise ProgramError("all answers name one model: the exchange did not happen")
    lasted = spread([1e3 * (ended - begun) for begun, ended in windows])
    first = (
        f"; the first: {failed[0].status} {failed[0].body[:120].decode(errors='replace')}" if failed else ""
    )
    return Outcome(
        figures=[
            Figure(
                "exchange of the model at 200 requests/s: failed requests",
                float(len(failed)),
                f"of {len(answers)}",
                Goal(0),
                f"{len(windows)} exchanges of {lasted.p50:.0f} ms{first}",
            ),
            Figure(
                "  p99 during an exchange over p99 before",
                during.p99 / before.p99,
                "x",
                Goal(2.0),
                f"{during.p99:.2f} ms ({during.count} requests) over {before.p99:.2f} ms ({before.count})",
            ),
        ],
        details={
            "before_ms": before.as_json(),
            "during_ms": during.as_json(),
            "exchange_ms": lasted.as_json(),
        },
    )
