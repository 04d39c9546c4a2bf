"""What `topscoop edge doctor` thinks of what it measured; pure, so that each judgement is one test."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MIN_FREE_BYTES = 64 << 20
MIN_MEMORY_BYTES = 192 << 20
"""The agent takes about 130 MB; less than this and the till begins to swap."""
EARLIEST_CLOCK_MS = 1_767_225_600_000
"""2026-01-01: a clock before that has lost its battery."""
_SLOW_FSYNC_MS = 200.0
_LOW_FPS_SHARE = 0.6
_MIB = 1 << 20


class Verdict(StrEnum):
    """How a check ended; only `failed` makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer."""

    check: str
    verdict: Verdict
    said: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """As `--json` prints it."""
        return {
            "check": self.check,
            "verdict": self.verdict.value,
            "said": self.said,
            "remedy": self.remedy,
        }


def judge_pictures(
    camera: str, *, count: int, seconds: float, width: int, height: int, wanted_fps: float
) -> Finding:
    """A camera that gave `count` pictures, after the first, within so many seconds."""
    fps = count / seconds if seconds > 0 else 0.0
    said = f"{camera}: {width}x{height} at {fps:.1f} pictures per second"
    if fps < _LOW_FPS_SHARE * wanted_fps:
        return Finding(
            "camera",
            Verdict.WARNING,
            f"{said}, {wanted_fps:g} are asked for",
            "More light lets a camera expose shorter; or ask for less with `fps` under [camera].",
        )
    return Finding("camera", Verdict.OK, said)


def judge_latency(latency_ms: Mapping[str, float], *, budget_ms: float) -> Finding:
    """The model's p99 on this machine against what its manifest allows."""
    p50, p99 = latency_ms["p50"], latency_ms["p99"]
    said = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, the budget is {budget_ms:g} ms"
    if p99 <= budget_ms:
        return Finding("latency", Verdict.OK, said)
    if p50 <= budget_ms:
        return Finding(
            "latency",
            Verdict.WARNING,
            said,
            "The till is busy now and then: the systemd unit gives the agent the priority that it needs.",
        )
    return Finding(
        "latency",
        Verdict.FAILED,
        said,
        "Stop what else computes on this till, or take a smaller model; `topscoop edge bench` tells more.",
    )


def judge_disk(folder: str, *, free_bytes: int, wanted_bytes: int, fsync_ms: float) -> Finding:
    """Space and speed of the data folder."""
    said = f"{folder}: {free_bytes // _MIB} MiB free, fsync takes {fsync_ms:.1f} ms"
    if free_bytes < MIN_FREE_BYTES:
        return Finding("disk", Verdict.FAILED, said, f"Free at least {MIN_FREE_BYTES // _MIB} MiB.")
    if free_bytes < wanted_bytes:
        return Finding(
            "disk",
            Verdict.WARNING,
            said,
            f"The journal may take {wanted_bytes // _MIB} MiB: free some, or lower `max_mb` in [journal].",
        )
    if fsync_ms > _SLOW_FSYNC_MS:
        return Finding(
            "disk", Verdict.WARNING, said, "The disk is slow: each sale waits for it. Use an SSD, not a card."
        )
    return Finding("disk", Verdict.OK, said)


def judge_memory(*, available_bytes: int) -> Finding:
    """Memory that is left for the agent."""
    said = f"{available_bytes // _MIB} MiB available"
    if available_bytes < MIN_MEMORY_BYTES:
        return Finding(
            "memory", Verdict.FAILED, said, f"The agent needs {MIN_MEMORY_BYTES // _MIB} MiB: stop something."
        )
    return Finding("memory", Verdict.OK, said)


def judge_clock(*, now_ms: int, local: str, synchronised: bool | None) -> Finding:
    """The wall clock: recommendations depend on the hour, records on the date."""
    if now_ms < EARLIEST_CLOCK_MS:
        return Finding(
            "clock",
            Verdict.FAILED,
            f"the clock says {local}, which is in the past",
            "Set it (`timedatectl set-ntp true`) and have the till's battery changed.",
        )
    if synchronised is False:
        return Finding(
            "clock", Verdict.WARNING, f"{local}, not synchronised", "Run `timedatectl set-ntp true`."
        )
    return Finding(
        "clock", Verdict.OK, f"{local}{', synchronised' if synchronised else ''}; is this the shop's time?"
    )


def judge_cpu(instruction_set: str, *, fast: bool, slow: bool) -> Finding:
    """Whether the processor has instructions for int8 networks."""
    if slow:
        return Finding(
            "cpu",
            Verdict.WARNING,
            f"{instruction_set}: int8 networks run about eight times slower than with VNNI",
            "Watch the line `latency`: what it says counts.",
        )
    return Finding("cpu", Verdict.OK, instruction_set if fast else f"{instruction_set}, without VNNI")
