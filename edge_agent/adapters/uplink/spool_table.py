"""The spool in figures, as JSON has it and as people read it."""

from collections.abc import Mapping
from typing import Any

from edge_agent.uplink.spooled import SpoolStats

_COLUMNS = ("captured", "stored", "refused", "gone", "dropped", "without_consent", "spooled", "lost")


def lanes_as_json(stats: SpoolStats) -> dict[str, Any]:
    """Every lane with its account, and the file."""
    lanes = {}
    for lane, of_lane in stats.lanes.items():
        account = of_lane.account
        lanes[lane.label] = {
            "captured": account.captured,
            "stored": account.stored,
            "refused": account.refused,
            "gone": account.gone,
            "dropped": {reason.value: count for reason, count in account.dropped.items()},
            "without_consent": account.without_consent,
            "spooled": account.spooled,
            "lost": account.lost,
            "bytes": of_lane.size_bytes,
            "oldest_at_ms": of_lane.oldest_at_ms,
            "set_aside": dict(of_lane.set_aside),
        }
    return {
        "lanes": lanes,
        "used_bytes": stats.used_bytes,
        "blanks": stats.blanks,
        "damaged_files": stats.damaged_files,
    }


def table(lanes: Mapping[str, Mapping[str, Any]]) -> str:
    """The lanes as lines of aligned columns; below, why something was dropped or set aside."""
    rows = [["lane", *(name.replace("_", " ") for name in _COLUMNS)]]
    notes = []
    for name, lane in lanes.items():
        dropped = sum(lane["dropped"].values())
        rows.append([name, *(str(dropped if column == "dropped" else lane[column]) for column in _COLUMNS)])
        notes += [f"{name}: {count} dropped, {reason}" for reason, count in lane["dropped"].items()]
        notes += [f"{name}: {count} set aside, {reason}" for reason, count in lane["set_aside"].items()]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        row[0].ljust(widths[0])
        + "".join(cell.rjust(width + 2) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    return "\n".join([*lines, *notes])
