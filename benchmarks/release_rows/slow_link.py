"""An update over a slow line with losses that is cut in the middle: it goes on, and little is sent twice."""

import time

from benchmarks import release_stack
from benchmarks.processes import ProgramError
from benchmarks.setting import Outcome, Setting
from benchmarks.slow_link import Line, SlowLink
from benchmarks.verdict import Figure, Goal

_LINE = Line()
_AWAY_S = 3.0
_MOST = 1.05
_SETTLE_S = 2.0


def slow_link(setting: Setting) -> Outcome:
    """One release; the line is cut when half of the model has come down."""
    load = release_stack.load()
    with release_stack.stack(setting, "slow-link") as far_end:
        broker = far_end.files.broker
        with (
            SlowLink(broker.registers_port, _LINE) as line,
            release_stack.agent(setting, far_end, port=line.port) as till,
        ):
            far_end.release(1)
            size = far_end.model_bytes
            time.sleep(_SETTLE_S)  # what a connection begins with is no part of it
            mark, before = len(far_end.log_lines()), dict(line.delivered)
            served = far_end.served()
            line.cut_after(size // 2, _AWAY_S)
            begun_s = far_end.order(1)
            setting.say(f"{size / 1e6:.2f} MB at {_LINE.bits_per_s / 1e6:g} Mbit/s, cut in the middle")
            reached = till.reached("agent.SWAPPED", begun_s)
            took_s = reached["agent.SWAPPED"] - begun_s
            download_s = reached["updater.WRITE_MANIFEST"] - reached["updater.JUDGE"]
            if not line.cuts:
                raise ProgramError("the line was never cut")
            wire = {way: line.delivered[way] - before[way] for way in before}
            up, down = far_end.file_messages(far_end.log_lines()[mark:])
            requests, sent = (after - first for after, first in zip(far_end.served(), served, strict=True))
            lost = line.up.lost + line.down.lost
    messages = up.bytes + down.bytes
    figures = [
        Figure(
            "update over 1 Mbit/s, 2 % loss, a cut: bytes of all file messages over the model's",
            messages / size,
            "x",
            Goal(_MOST),
            f"{down.bytes} down in {down.count} blocks, {up.bytes} up in {up.count} requests; model {size}",
        ),
        Figure("  bytes of files that the service sent over the model's", sent / size, "x"),
        Figure(
            "  all that came through the line both ways, with TLS, over the model's",
            sum(wire.values()) / size,
            "x",
        ),
        Figure(
            "  desired state set → model in use",
            took_s,
            "s",
            note=f"download {download_s:.1f} s; the line alone takes {size * 8 / _LINE.bits_per_s:.1f} s",
        ),
    ]
    details: dict[str, object] = {
        "model_bytes": size,
        "up": {"messages": up.count, "bytes": up.bytes},
        "down": {"messages": down.count, "bytes": down.bytes},
        "served": {"requests": requests, "bytes": sent},
        "through_the_line": wire,
        "lost_segments": lost,
        "took_s": took_s,
        "download_s": download_s,
        "load": load,
    }
    return Outcome(figures=figures, details=details)
