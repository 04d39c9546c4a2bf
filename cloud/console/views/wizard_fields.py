"""The fields of the page that plans a rollout: what they are called, may hold, and stand for. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.values import Plan, Stage

Step = Literal["release", "stages", "limits", "times", "check"]
STEPS: Final[tuple[Step, ...]] = ("release", "stages", "limits", "times", "check")
STEP_NAMES: Final[dict[Step, str]] = {
    "release": "Release",
    "stages": "Stages",
    "limits": "Limits",
    "times": "Pace and times",
    "check": "Check and plan",
}
STAGE_ROWS: Final = 6
WINDOW_ROWS: Final = 2
KINDS: Final = (("share", "% of the registers"), ("count", "registers"), ("group", "a named group"))
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class NumberField:
    """A number as it is typed.

    Attributes:
        name: Of the field in the form.
        target: The plan's or gates' attribute.
        scale: What is typed times this is what the plan holds: 0.01 for percent, 60 for minutes.
        whole: The plan holds a whole number.
        optional: An empty field switches the gate off.
    """

    name: str
    target: str
    step: Step
    label: str
    unit: str
    hint: str
    low: float
    high: float
    scale: float = 1.0
    whole: bool = False
    optional: bool = False

    def typed(self, value: float | None) -> str:
        """What stands in the field for a value of the plan."""
        return "" if value is None else f"{value / self.scale:.6g}"


GATE_FIELDS: Final = (
    NumberField(
        "g_failed_share",
        "failed_share",
        "limits",
        "Failed registers, at most",
        "%",
        "Of those that were told: refused, crashed, silent, lying. Beyond it every register goes back.",
        0,
        100,
        scale=0.01,
    ),
    NumberField(
        "g_failed_minimum",
        "failed_minimum",
        "limits",
        "but not before",
        "registers",
        "So many must have failed.",
        1,
        1_000_000,
        whole=True,
    ),
    NumberField(
        "g_crashes_per_register",
        "crashes_per_register",
        "limits",
        "A register failed after",
        "crashes",
        "",
        1,
        1000,
        whole=True,
    ),
    NumberField(
        "g_latency_of_budget",
        "latency_of_budget",
        "limits",
        "p99, at most",
        "% of the budget",
        "The budget is signed with the release.",
        1,
        10_000,
        scale=0.01,
    ),
    NumberField(
        "g_slow_share", "slow_share", "limits", "Registers beyond it, at most", "%", "", 0, 100, scale=0.01
    ),
    NumberField(
        "g_error_share",
        "error_share",
        "limits",
        "Failed recommendations, at most",
        "%",
        "",
        0,
        100,
        scale=0.01,
    ),
    NumberField(
        "g_confidence_drift",
        "confidence_drift",
        "limits",
        "Drift of the confidence, at most",
        "PSI",
        "Population stability index against before; 0.1 is slight, 0.25 is a change. Empty: not looked at.",
        0,
        100,
        optional=True,
    ),
    NumberField(
        "g_label_drift",
        "label_drift",
        "limits",
        "Drift of the flavours, at most",
        "PSI",
        "Empty: not looked at.",
        0,
        100,
        optional=True,
    ),
    NumberField(
        "g_shadow_agreement",
        "shadow_agreement",
        "limits",
        "Same first flavour as today's model, at least",
        "%",
        "Of a shadow's answers. Empty: not looked at.",
        0,
        100,
        scale=0.01,
        optional=True,
    ),
    NumberField(
        "g_minimum_recommendations",
        "minimum_recommendations",
        "limits",
        "Judge after",
        "answers",
        "Fewer are no evidence: the stage waits.",
        1,
        1_000_000_000,
        whole=True,
    ),
    NumberField(
        "g_minimum_registers",
        "minimum_registers",
        "limits",
        "and",
        "registers",
        "that run the release.",
        1,
        1_000_000,
        whole=True,
    ),
)
TIME_FIELDS: Final = (
    NumberField(
        "pace",
        "pace_per_minute",
        "times",
        "Tell at most",
        "registers a minute",
        "",
        1,
        1_000_000,
        whole=True,
    ),
    NumberField(
        "silent",
        "silent_after_s",
        "times",
        "Silent is failed after",
        "minutes",
        "A told register that is connected and says nothing of the release.",
        0.1,
        500_000,
        scale=60,
        whole=True,
    ),
    NumberField(
        "unfinished",
        "unfinished_after_s",
        "times",
        "Unfinished is failed after",
        "hours",
        "It knows the order, is connected, and comes to no end.",
        0.01,
        8700,
        scale=3600,
        whole=True,
    ),
    NumberField(
        "unreached",
        "unreached_after_s",
        "times",
        "Do not wait longer than",
        "hours",
        "for a register that never came online. It counts neither as good nor as failed.",
        0.01,
        8700,
        scale=3600,
        whole=True,
    ),
)
HOLD_MINUTES_MAX: Final = 500_000.0


def default_fields(plan: Plan = DEFAULT_PLAN) -> dict[str, tuple[str, ...]]:
    """What stands in the form for a plan."""
    fields: dict[str, tuple[str, ...]] = {"stores": (" ".join(plan.stores),)}
    for row, stage in enumerate(plan.stages[:STAGE_ROWS]):
        fields |= _stage_fields(row, stage)
    for gate in GATE_FIELDS:
        fields[gate.name] = (gate.typed(getattr(plan.gates, gate.target)),)
    for time in TIME_FIELDS:
        fields[time.name] = (time.typed(getattr(plan, time.target)),)
    for row, window in enumerate(plan.window[:WINDOW_ROWS]):
        fields[f"w{row}_days"] = tuple(str(day) for day in window.days)
        fields[f"w{row}_from"] = (_clock(window.start),)
        fields[f"w{row}_to"] = (_clock(window.end),)
    fields |= {name: ("on",) for name in ("shadow_first", "outside_opening") if getattr(plan, name)}
    return fields


def _stage_fields(row: int, stage: Stage) -> dict[str, tuple[str, ...]]:
    kind, size = (
        ("group", stage.group)
        if stage.group is not None
        else ("count", str(stage.count))
        if stage.count is not None
        else ("share", f"{100 * (stage.share or 0):.6g}")
    )
    fields: dict[str, tuple[str, ...]] = {
        f"s{row}_name": (stage.name,),
        f"s{row}_kind": (kind,),
        f"s{row}_size": (size,),
        f"s{row}_hold": (f"{stage.hold_s / 60:.6g}",),
    }
    return fields | ({f"s{row}_approval": ("on",)} if stage.approval else {})


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
