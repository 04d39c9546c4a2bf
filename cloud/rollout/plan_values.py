"""Plans as JSON has them, strictly: every problem is named at once, and nothing is guessed. Pure."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from cloud.rollout.errors import PlanError
from cloud.rollout.values import Gates, Plan, Stage, Window
from wire_protocol.identifiers import is_name

DEFAULT_PLAN: Final = Plan(
    stages=(
        Stage("one register", count=1),
        Stage("one in ten", share=0.1),
        Stage("everywhere", share=1.0),
    )
)
"""What a rollout does unless somebody says otherwise."""

STAGES_MAX: Final = 20
WINDOWS_MAX: Final = 21
STORES_MAX: Final = 5000
_NAME_MAX: Final = 60
_DAY_MIN: Final = 1440
_WEEK: Final = 7
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_YEAR_S: Final = 366 * 86_400

_GATE_BOUNDS: Final[Mapping[str, tuple[type, float, float, bool]]] = {
    "failed_share": (float, 0, 1, False),
    "failed_minimum": (int, 1, 1_000_000, False),
    "crashes_per_register": (int, 1, 1000, False),
    "latency_of_budget": (float, 0.01, 100, False),
    "slow_share": (float, 0, 1, False),
    "error_share": (float, 0, 1, False),
    "confidence_drift": (float, 0, 100, True),
    "label_drift": (float, 0, 100, True),
    "shadow_agreement": (float, 0, 1, True),
    "minimum_recommendations": (int, 1, 1_000_000_000, False),
    "minimum_registers": (int, 1, 1_000_000, False),
}
"""Field -> its type, least, greatest, and whether null switches the gate off."""
_PLAN_BOUNDS: Final[Mapping[str, tuple[type, float, float, bool]]] = {
    "pace_per_minute": (int, 1, 1_000_000, False),
    "silent_after_s": (int, 1, _YEAR_S, False),
    "unfinished_after_s": (int, 1, _YEAR_S, False),
    "unreached_after_s": (int, 1, _YEAR_S, False),
}
_STAGE_FIELDS: Final = frozenset({"name", "share", "count", "group", "hold_s", "approval"})
_PLAN_FIELDS: Final = frozenset(
    {"stages", "gates", "window", "outside_opening", "stores", "shadow_first", *_PLAN_BOUNDS}
)


def plan_from(value: object) -> Plan:
    """The plan that JSON spells; what it leaves out is as in `DEFAULT_PLAN`.

    Raises:
        PlanError: With every problem.
    """
    reading = _Reading()
    plan = reading.plan(value)
    if reading.problems or plan is None:
        raise PlanError(tuple(reading.problems))
    return plan


def plan_to(plan: Plan) -> dict[str, Any]:
    """The plan as JSON; `plan_from` reads it back."""
    return {
        "stages": [_stage_to(stage) for stage in plan.stages],
        "gates": {name: getattr(plan.gates, name) for name in _GATE_BOUNDS},
        "window": windows_to(plan.window),
        "outside_opening": plan.outside_opening,
        "stores": list(plan.stores),
        "shadow_first": plan.shadow_first,
        **{name: getattr(plan, name) for name in _PLAN_BOUNDS},
    }


def windows_from(value: object, where: str = "window") -> tuple[Window, ...]:
    """Times of the week, `[{"days": [0, 1], "from": "09:00", "to": "19:30"}]`; days from 0, Monday.

    Raises:
        PlanError: With every problem.
    """
    reading = _Reading()
    windows = reading.windows(value, where)
    if reading.problems:
        raise PlanError(tuple(reading.problems))
    return windows


def windows_to(windows: tuple[Window, ...]) -> list[dict[str, Any]]:
    """As JSON; `windows_from` reads it back."""
    return [{"days": list(one.days), "from": _hour_to(one.start), "to": _hour_to(one.end)} for one in windows]


def _stage_to(stage: Stage) -> dict[str, Any]:
    which = {"share": stage.share, "count": stage.count, "group": stage.group}
    chosen = {name: value for name, value in which.items() if value is not None}
    return {"name": stage.name, **chosen, "hold_s": stage.hold_s, "approval": stage.approval}


def _hour_to(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class _Reading:
    """Reads values and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def plan(self, value: object) -> Plan | None:
        found = self._map(value, "plan", _PLAN_FIELDS)
        if found is None:
            return None
        stages = self._stages(found["stages"]) if "stages" in found else DEFAULT_PLAN.stages
        gates = self._gates(found.get("gates", {}))
        windows = self.windows(found.get("window", []), "window")
        outside = self._flag(found, "outside_opening", "")
        shadow = self._flag(found, "shadow_first", "")
        stores = self._stores(found.get("stores", []))
        numbers = self._numbers(found, _PLAN_BOUNDS, "")
        if shadow and gates is not None and gates.shadow_agreement is None:
            self._wrong("shadow_first", "needs gates.shadow_agreement, the share of answers that must agree")
        if self.problems or gates is None:
            return None
        return Plan(
            stages=stages,
            gates=gates,
            window=windows,
            outside_opening=outside,
            stores=stores,
            shadow_first=shadow,
            **numbers,
        )

    def windows(self, value: object, where: str) -> tuple[Window, ...]:
        read = (
            self._window(item, f"{where}[{index}]")
            for index, item in enumerate(self._list(value, where, WINDOWS_MAX))
        )
        return tuple(window for window in read if window is not None)

    def _stages(self, value: object) -> tuple[Stage, ...]:
        items = self._list(value, "stages", STAGES_MAX)
        if not items:
            self._wrong("stages", "has no stage")
        stages = [self._stage(item, f"stages[{index}]") for index, item in enumerate(items)]
        good = [stage for stage in stages if stage is not None]
        names = [stage.name for stage in good]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._wrong("stages", f"two are called {name!r}")
        for kind in ("share", "count"):
            sizes = [size for stage in good if (size := getattr(stage, kind)) is not None]
            if any(later <= earlier for earlier, later in pairwise(sizes)):
                self._wrong("stages", f"a later {kind} is not greater than the one before")
        return tuple(good)

    def _stage(self, value: object, where: str) -> Stage | None:
        found = self._map(value, where, _STAGE_FIELDS)
        if found is None:
            return None
        before = len(self.problems)
        name = found.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            self._wrong(f"{where}.name", f"must be a name of 1 to {_NAME_MAX} characters")
        chosen = [kind for kind in ("share", "count", "group") if found.get(kind) is not None]
        if len(chosen) != 1:
            self._wrong(where, "needs exactly one of share, count and group")
        share = self._number(found.get("share"), f"{where}.share", (float, 0, 1, True))
        if share == 0:
            self._wrong(f"{where}.share", "0 reaches nobody")
        count = self._number(found.get("count"), f"{where}.count", (int, 1, 1_000_000, True))
        group = found.get("group")
        if group is not None and not (isinstance(group, str) and is_name(group)):
            self._wrong(f"{where}.group", f"{_shown(group)} is no name of a group")
        hold_s = self._number(found.get("hold_s", 600), f"{where}.hold_s", (int, 0, _YEAR_S, False))
        approval = self._flag(found, "approval", f"{where}.")
        if len(self.problems) > before:
            return None
        return Stage(str(name), share=share, count=count, group=group, hold_s=hold_s, approval=approval)

    def _gates(self, value: object) -> Gates | None:
        found = self._map(value, "gates", frozenset(_GATE_BOUNDS))
        return None if found is None else Gates(**self._numbers(found, _GATE_BOUNDS, "gates."))

    def _window(self, value: object, where: str) -> Window | None:
        found = self._map(value, where, frozenset({"days", "from", "to"}))
        if found is None:
            return None
        days = found.get("days", list(range(_WEEK)))
        fits = isinstance(days, list) and all(type(day) is int and 0 <= day < _WEEK for day in days)
        if not fits or not days:
            self._wrong(f"{where}.days", "must be days of the week, 0 (Monday) to 6")
        hours = [self._hour(found.get(name), f"{where}.{name}") for name in ("from", "to")]
        if not fits or None in hours:
            return None
        start, end = (hour or 0 for hour in hours)
        if start == end:
            self._wrong(where, "begins when it ends; leave the window out where it is always")
        return Window(tuple(sorted(set(days))), start, end)

    def _hour(self, value: object, where: str) -> int | None:
        match = _HOUR.match(value) if isinstance(value, str) else None
        if match is None:
            self._wrong(where, f"{_shown(value)} is no time of day such as 09:30")
            return None
        return int(match[1]) * 60 + int(match[2])

    def _stores(self, value: object) -> tuple[str, ...]:
        items = self._list(value, "stores", STORES_MAX)
        for item in items:
            if not (isinstance(item, str) and is_name(item)):
                self._wrong("stores", f"{_shown(item)} is no name of a store")
        return tuple(sorted({item for item in items if isinstance(item, str)}))

    def _numbers(
        self, found: Mapping[str, Any], bounds: Mapping[str, tuple[type, float, float, bool]], where: str
    ) -> dict[str, Any]:
        return {
            name: self._number(found[name], f"{where}{name}", bound)
            for name, bound in bounds.items()
            if name in found
        }

    def _number(self, value: object, where: str, bound: tuple[type, float, float, bool]) -> Any:
        kind, low, high, optional = bound
        if value is None and optional:
            return None
        # NaN compares false with both ends; true and false are no numbers.
        good: Callable[[Any], bool] = lambda number: type(number) in (int, kind) and low <= number <= high  # noqa: E731
        if good(value):
            return value
        what = "whole number" if kind is int else "number"
        ends = f"from {low:g} to {high:g}" + (", or null" if optional else "")
        self._wrong(where, f"{_shown(value)} is no {what} {ends}")
        return None

    def _flag(self, found: Mapping[str, Any], name: str, where: str) -> bool:
        value = found.get(name, False)
        if not isinstance(value, bool):
            self._wrong(f"{where}{name}", f"{_shown(value)} is neither true nor false")
            return False
        return value

    def _map(self, value: object, where: str, known: frozenset[str]) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self._wrong(where, "must be an object in braces")
            return None
        for name in sorted(set(map(str, value)) - known):
            self._wrong(where, f"there is no {name[:40]!r}; known are {', '.join(sorted(known))}")
        return value

    def _list(self, value: object, where: str, longest: int) -> list[Any]:
        if not isinstance(value, list) or len(value) > longest:
            self._wrong(where, f"must be a list of {longest} at most")
            return []
        return value

    def _wrong(self, where: str, words: str) -> None:
        self.problems.append(f"{where}: {words}")


def _shown(value: object) -> str:
    return repr(value)[:40]
