"""What the agent takes from the till: memory, and processor time while nobody buys."""

import time

from benchmarks import servers
from benchmarks.http_client import time_requests
from benchmarks.processes import cpu_seconds, family, resident_mb
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_INTERACTIONS = 200
_SETTLE_S = 2.0
_MB_LIMIT = 130.0
_IDLE_PERCENT_LIMIT = 5.0


def memory(setting: Setting) -> Outcome:
    """Resident memory after two hundred interactions, the camera running."""
    with servers.agent_with_camera(setting, width=1280, height=720, fps=30) as till:
        before_mb = resident_mb(till.process.pid)
        request = till.request("POST", "/v1/interactions", b"{}")
        with till.connect() as connection:
            time_requests(connection, request, _INTERACTIONS, expect=201, period_s=0.01)
        time.sleep(_SETTLE_S)
        after_mb = resident_mb(till.process.pid)
        processes = len(family(till.process.pid))
    note = (
        f"{_INTERACTIONS} interactions ({before_mb:.0f} MB before), 1280x720 camera, {processes} process(es)"
    )
    return Outcome(
        figures=[Figure("resident memory of the agent", after_mb, "MB", Goal(_MB_LIMIT), note)],
        details={"before_mb": before_mb, "after_mb": after_mb, "processes": processes},
    )


def idle(setting: Setting) -> Outcome:
    """Share of one core that the agent uses with a camera at 15 pictures a second and no customer."""
    seconds = setting.count(20, 5)
    with servers.agent_with_camera(setting, width=640, height=480, fps=15) as till:
        time.sleep(_SETTLE_S)
        setting.say(f"watching the idle agent for {seconds} s")
        begun, used_s = time.monotonic(), cpu_seconds(till.process.pid)
        time.sleep(seconds)
        percent = 100 * (cpu_seconds(till.process.pid) - used_s) / (time.monotonic() - begun)
    note = f"640x480 MJPEG at 15 fps, over {seconds} s"
    return Outcome(
        figures=[Figure("CPU of the idle agent", percent, "% of a core", Goal(_IDLE_PERCENT_LIMIT), note)],
        details={"percent_of_one_core": percent, "seconds": seconds},
    )
