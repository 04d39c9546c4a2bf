"""What a register asks and is sent when there is nothing new, and while nothing is wanted anew."""

import time

from benchmarks import release_stack
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_GOAL_REQUESTS, _GOAL_BYTES = 2, 2000
_REPORT_S = 5.0
_UNCHANGED_S = 20.0
_UNCHANGED_QUICK_S = 7.0


def refresh(setting: Setting) -> Outcome:
    """A register that is up to date: another order for the same release, then silence."""
    load = release_stack.load()
    with release_stack.stack(setting, "refresh") as far_end, release_stack.agent(setting, far_end) as till:
        far_end.release(1)
        begun_s = far_end.order(1, report_every_s=int(_REPORT_S))
        till.reached("agent.SWAPPED", begun_s)
        far_end.until_good(1)
        mark = len(far_end.log_lines())
        begun_s = far_end.order(1, report_every_s=int(2 * _REPORT_S))
        reached = till.reached("agent.NOTED", begun_s)
        up, down = far_end.file_messages(far_end.log_lines()[mark:])
        mark, before = len(far_end.log_lines()), far_end.served()[0]
        wait_s = _UNCHANGED_QUICK_S if setting.quick else _UNCHANGED_S
        setting.say(f"{wait_s:g} s in which nothing is wanted anew")
        time.sleep(wait_s)
        idle, _ = far_end.file_messages(far_end.log_lines()[mark:])
        asked = far_end.served()[0] - before
    took_s = reached["updater.JUDGE"] - reached["updater.TRUST_ROOT"]
    figures = [
        Figure(
            "look at the metadata with nothing new: requests",
            float(up.count),
            "",
            Goal(_GOAL_REQUESTS),
            f"{down.count} answers",
        ),
        Figure(
            "  bytes up and down together",
            float(up.bytes + down.bytes),
            "bytes",
            Goal(_GOAL_BYTES),
            f"MQTT packets: {up.bytes} up, {down.bytes} down",
        ),
        Figure("  the look itself", 1e3 * took_s, "ms", note=load),
        Figure(
            "requests while the desired state is unchanged",
            max(float(idle.count), asked),
            "",
            Goal(0),
            f"in {wait_s:g} s",
        ),
    ]
    details: dict[str, object] = {
        "up": {"messages": up.count, "bytes": up.bytes},
        "down": {"messages": down.count, "bytes": down.bytes},
        "took_ms": 1e3 * took_s,
        "unchanged_s": wait_s,
        "load": load,
    }
    return Outcome(figures=figures, details=details)
