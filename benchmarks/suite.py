"""What the benchmarks share: rows that are measured one after the other, and what is written of them."""

import gc
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.table import render
from benchmarks.verdict import Exit, Figure, exit_status

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement that gives one or more lines of the table."""

    name: str
    meaning: str
    run: Callable[[Setting], Outcome]


def measure(row: Row, setting: Setting) -> Outcome:
    """Run one row; whatever goes wrong becomes a line of the table, and the next row is measured."""
    print(f"{row.name}: {row.meaning}", file=sys.stderr, flush=True)
    begun = time.monotonic()
    try:
        outcome = row.run(setting)
    except NotRunError as error:
        outcome = Outcome(figures=[Figure(row.meaning, None, note=str(error))])
    except Exception as error:  # noqa: BLE001 - the table tells it, and the exit status
        outcome = Outcome(
            figures=[Figure(row.meaning, None, note=f"{type(error).__name__}: {error}", broke=True)],
            details={"traceback": traceback.format_exc()},
        )
        setting.say(f"failed: {type(error).__name__}: {error}")
    outcome.details["took_s"] = round(time.monotonic() - begun, 1)
    return outcome


def figures_as_json(outcomes: dict[str, Outcome]) -> list[dict[str, object]]:
    """Every line of the table as plain values."""
    return [
        {
            "row": name,
            "figure": figure.name.strip(),
            "goal": str(figure.goal) if figure.goal else None,
            "measured": None if figure.value is None else round(figure.value, _DIGITS),
            "unit": figure.unit,
            "verdict": figure.verdict.value,
            "note": figure.note,
        }
        for name, outcome in outcomes.items()
        for figure in outcome.figures
    ]


def baselines_as_json(outcomes: dict[str, Outcome]) -> list[dict[str, object]]:
    """Every baseline beside its reference."""
    return [
        {
            "baseline": check.name,
            "reference_ms": round(check.reference_ms, _DIGITS),
            "measured_ms": round(check.measured_ms, _DIGITS),
            "comparable": check.comparable,
            "slow": check.slow,
            "note": check.note,
        }
        for outcome in outcomes.values()
        for check in outcome.baselines
    ]


def status_of(outcomes: dict[str, Outcome]) -> Exit:
    """What the caller is told."""
    figures = [figure for outcome in outcomes.values() for figure in outcome.figures]
    return exit_status(figures, [check for outcome in outcomes.values() for check in outcome.baselines])


def print_table(outcomes: dict[str, Outcome], written_to: Path, *, quick: bool) -> None:
    """For a person."""
    figures = [figure for outcome in outcomes.values() for figure in outcome.figures]
    print(render(figures, [check for outcome in outcomes.values() for check in outcome.baselines]))
    told = {
        Exit.GOOD: "Every goal that was measured is met.",
        Exit.MISSED: "A goal was missed or could not be measured.",
        Exit.SLOW_BASELINE: "A baseline is slower than it should be: ratios against it flatter.",
    }[status_of(outcomes)]
    rough = " Few samples were taken (--quick): the figures are rough." if quick else ""
    print(f"\n{told}{rough} Written to {written_to}.")


def chosen(rows: Sequence[Row], names: Sequence[str] | None) -> list[Row]:
    """Rows by name, in their own order; all where none is named."""
    return [row for row in rows if not names or row.name in names]


def prepare_process() -> None:
    """A polite end unwinds every `with`, so that no agent, camera or server stays behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # The client's own pauses would count as the servers': what is loaded now is never looked at again.
    gc.collect()
    gc.freeze()
