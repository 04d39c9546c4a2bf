"""From the desired state to the model that runs on the register, and what each part of the way takes."""

from benchmarks import release_stack, step_notes
from benchmarks.measure import percentile
from benchmarks.processes import ProgramError
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_GOAL_S = 1.5
_PREFLIGHT_S = 0.6
_MS_PER_S = 1000.0


def update(setting: Setting) -> Outcome:
    """Release after release over loopback with mutual TLS; the first is for warming up."""
    count = setting.count(5, 2)
    runs: list[dict[str, float]] = []
    load = release_stack.load()
    with release_stack.stack(setting, "update") as far_end, release_stack.agent(setting, far_end) as till:
        for number in range(1, count + 2):
            far_end.release(number)
            begun_s = far_end.order(number)
            reached = till.reached("agent.SWAPPED", begun_s)
            if till.in_use() != number:
                raise ProgramError(f"release {number} is in use, and the local API shows another model")
            parts = step_notes.parts(reached, begun_s)
            setting.say(f"release {number}: " + ", ".join(f"{name} {ms:.0f}" for name, ms in parts.items()))
            far_end.until_good(number)
            runs.append(parts)
        size = far_end.model_bytes
    return told(runs[1:], size, load)


def told(runs: list[dict[str, float]], model_bytes: int, load: str) -> Outcome:
    """The figures of some updates; each run in milliseconds by part."""
    names = list(runs[0])
    middle = {name: percentile([run[name] for run in runs], 0.5) / _MS_PER_S for name in names}
    worst = {name: max(run[name] for run in runs) / _MS_PER_S for name in names}
    note = f"model of {model_bytes / 1e6:.2f} MB, {len(runs)} updates; worst {worst['whole']:.2f} s; {load}"
    figures = [
        Figure(
            "desired state set → model in use on the register: p50", middle["whole"], "s", Goal(_GOAL_S), note
        ),
        Figure(
            "  of which preflight: p50",
            middle["preflight"],
            "s",
            Goal(_PREFLIGHT_S),
            f"worst {worst['preflight']:.2f} s",
        ),
    ]
    figures += [
        Figure(f"  {name}: p50", middle[name], "s", note=f"worst {worst[name]:.2f} s")
        for name in names
        if name not in {"whole", "preflight"}
    ]
    return Outcome(figures=figures, details={"runs_ms": runs, "model_bytes": model_bytes, "load": load})
