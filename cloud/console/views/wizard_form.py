"""Reads what was typed into the page that plans a rollout; every problem stands beside its field. Pure.

All of the form travels in the page's address, step by step: it survives a reload, the way back and a
bookmark, works without a script, and changes nothing before its last button.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud.console.views.wizard_fields import (
    GATE_FIELDS,
    HOLD_MINUTES_MAX,
    STAGE_ROWS,
    STEPS,
    TIME_FIELDS,
    WINDOW_ROWS,
    NumberField,
    Step,
    default_fields,
)
from cloud.rollout.errors import PlanError
from cloud.rollout.plan_values import plan_from
from cloud.rollout.values import Plan

TYPED_MAX: Final = 400
"""Characters of one field; longer is cut, and then refused by what it means."""
_VALUES_MAX: Final = 7
"""Of one field: a week has so many days."""
_STORES_MAX_CHARACTERS: Final = 4000
_RELEASE_MAX: Final = 1_000_000_000
_PLACE: Final = re.compile(r"(?P<list>stages|window)\[(?P<index>\d+)\](?:\.(?P<part>\w+))?\Z")
_STAGE_PARTS: Final = {"name": "name", "hold_s": "hold", "share": "size", "count": "size", "group": "size"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, and what it means so far.

    Attributes:
        typed: By field; every field of the form that holds something.
        problems: By field, in words; `stages` and `stores` are fields too.
        plan: None while there are problems.
        release: None while none is chosen.
    """

    typed: Mapping[str, tuple[str, ...]]
    problems: Mapping[str, str]
    plan: Plan | None
    release: int | None

    def text(self, name: str) -> str:
        """What stands in a field."""
        return self.typed.get(name, ("",))[0]

    def ticked(self, name: str, value: str = "on") -> bool:
        """Whether a box is ticked."""
        return value in self.typed.get(name, ())

    def problem(self, name: str) -> str:
        """What is wrong with a field; empty where nothing is."""
        return self.problems.get(name, "")

    def problems_of(self, step: Step) -> dict[str, str]:
        """What is wrong on one step."""
        return {name: words for name, words in self.problems.items() if step_of(name) == step}


def step_of(name: str) -> Step:
    """The step that a field stands on."""
    if name == "release":
        return "release"
    if name in {"stages", "stores", "shadow_first"} or re.match(r"s\d_", name):
        return "stages"
    return "limits" if name.startswith("g_") else "times"


def read_form(sent: Sequence[tuple[str, str]]) -> Draft:
    """Read the form; without a word of it, as on the first visit, the usual plan stands there.

    Args:
        sent: Names and values as they came, in their order.
    """
    given: dict[str, tuple[str, ...]] = {}
    for name, value in sent:
        if name in _NAMES and len(given.get(name, ())) < _VALUES_MAX:
            longest = _STORES_MAX_CHARACTERS if name == "stores" else TYPED_MAX
            given[name] = (*given.get(name, ()), value[:longest].strip())
    if not set(given) - {"release"}:
        given = default_fields() | given
    reading = _Reading(given)
    spelled, rows = reading.plan()
    plan = None
    if not reading.problems:
        try:
            plan = plan_from(spelled)
        except PlanError as error:
            for problem in error.problems:
                where, _, words = problem.partition(": ")
                reading.problems.setdefault(_field_of(where, rows), words)
    release = reading.release()
    return Draft(given, reading.problems, plan, release)


def step_to_show(draft: Draft, wanted: str) -> Step:
    """The step that is shown: nobody goes past one that has problems."""
    target: Step = next((step for step in STEPS if step == wanted), STEPS[0])
    before = STEPS[: STEPS.index(target)]
    return next((step for step in before if draft.problems_of(step)), target)


def carried(draft: Draft, step: Step) -> list[tuple[str, str]]:
    """What the other steps' fields hold: the hidden part of a step's form."""
    shown = {step} if step != "check" else set()
    return [
        (name, value)
        for name, values in draft.typed.items()
        if step_of(name) not in shown
        for value in values
    ]


class _Reading:
    """Turns typed text into the JSON of a plan and collects what cannot be read."""

    def __init__(self, typed: Mapping[str, tuple[str, ...]]) -> None:
        self._typed = typed
        self.problems: dict[str, str] = {}

    def release(self) -> int | None:
        text = self._text("release")
        if re.fullmatch(r"[1-9][0-9]{0,9}", text) and int(text) <= _RELEASE_MAX:
            return int(text)
        self.problems["release"] = "Choose a release." if not text else "That is no release."
        return None

    def plan(self) -> tuple[dict[str, Any], list[int]]:
        """The plan's JSON, and which row of the form each of its stages is."""
        rows = [row for row in range(STAGE_ROWS) if self._text(f"s{row}_name") or self._text(f"s{row}_size")]
        value: dict[str, Any] = {"stages": [self._stage(row) for row in rows]}
        value["gates"] = {field.target: self._number(field) for field in GATE_FIELDS}
        value |= {field.target: self._number(field) for field in TIME_FIELDS}
        value["window"] = [
            self._window(row)
            for row in range(WINDOW_ROWS)
            if self._text(f"w{row}_from") or self._text(f"w{row}_to") or f"w{row}_days" in self._typed
        ]
        value["stores"] = [store for store in re.split(r"[\s,;]+", self._text("stores")) if store]
        value |= {name: name in self._typed for name in ("shadow_first", "outside_opening")}
        return value, rows

    def _text(self, name: str) -> str:
        return self._typed.get(name, ("",))[0]

    def _stage(self, row: int) -> dict[str, Any]:
        kind, size = self._text(f"s{row}_kind") or "share", self._text(f"s{row}_size")
        place: Any = size
        if kind == "share":
            place = self._parsed(f"s{row}_size", size, low=0, high=100, scale=0.01)
        elif kind == "count":
            place = self._parsed(f"s{row}_size", size, low=1, high=1_000_000, whole=True)
        elif kind != "group":
            self.problems[f"s{row}_kind"] = "Choose what the size counts."
            kind = "group"
        elif not size:
            self.problems[f"s{row}_size"] = "Name the group."
        hold = self._parsed(
            f"s{row}_hold", self._text(f"s{row}_hold"), low=0, high=HOLD_MINUTES_MAX, scale=60, whole=True
        )
        return {
            "name": self._text(f"s{row}_name"),
            kind: place,
            "hold_s": hold,
            "approval": f"s{row}_approval" in self._typed,
        }

    def _window(self, row: int) -> dict[str, Any]:
        days = [int(day) for day in self._typed.get(f"w{row}_days", ()) if re.fullmatch("[0-6]", day)]
        if not days:
            self.problems[f"w{row}_days"] = "Tick at least one day, or leave the times empty."
        return {"days": days, "from": self._text(f"w{row}_from"), "to": self._text(f"w{row}_to")}

    def _number(self, field: NumberField) -> float | None:
        text = self._text(field.name)
        if not text and field.optional:
            return None
        return self._parsed(
            field.name, text, low=field.low, high=field.high, scale=field.scale, whole=field.whole
        )

    def _parsed(
        self, name: str, text: str, *, low: float, high: float, scale: float = 1.0, whole: bool = False
    ) -> float | None:
        """A typed number within its bounds, in the plan's unit; a comma is a point."""
        try:
            number = float(text.replace(",", ".")) if text.isascii() and "_" not in text else math.nan
        except ValueError:
            number = math.nan
        if not low <= number <= high or (whole and scale == 1 and number != int(number)):
            what = "whole number" if whole and scale == 1 else "number"
            self.problems[name] = f"Write a {what} from {low:,g} to {high:,.0f}."
            return None
        # Percent: 7 * 0.01 is not 0.07, 7 / 100 is.
        scaled = number / round(1 / scale) if scale < 1 else number * scale
        return round(scaled) if whole else scaled


def _field_of(where: str, rows: Sequence[int]) -> str:
    """The form's field for a place in the plan's JSON."""
    match = _PLACE.match(where)
    if match is not None and match["list"] == "stages" and int(match["index"]) < len(rows):
        return f"s{rows[int(match['index'])]}_{_STAGE_PARTS.get(match['part'] or 'name', 'name')}"
    if match is not None and match["list"] == "window":
        part = match["part"] or "from"
        return f"w{match['index']}_{part if part in {'days', 'from', 'to'} else 'from'}"
    named = {f"gates.{field.target}": field.name for field in GATE_FIELDS}
    named |= {field.target: field.name for field in TIME_FIELDS}
    return named.get(where, where if where in _NAMES else "stages")


_NAMES: Final = frozenset(
    {"release", "stores", "stages", "shadow_first", "outside_opening"}
    | {f"s{row}_{part}" for row in range(STAGE_ROWS) for part in ("name", "kind", "size", "hold", "approval")}
    | {f"w{row}_{part}" for row in range(WINDOW_ROWS) for part in ("days", "from", "to")}
    | {field.name for field in (*GATE_FIELDS, *TIME_FIELDS)}
)
"""Every field; whatever else is in the address is not read."""
