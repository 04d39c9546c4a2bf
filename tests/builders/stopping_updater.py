"""`python -m tests.builders.stopping_updater STEP`: the updater, killed by SIGKILL when it reaches a step.

Before any step but PREFLIGHT itself, models are believed untried: seventeen preflights would take long.
"""

import os
import signal
import sys

from edge_agent.updater.adapters.preflight_process import ProcessPreflight
from edge_agent.updater.process import main
from edge_agent.updater.steps import Step
from edge_agent.updates.errand import Tried


def believe_every_model() -> None:
    """From now on, in this process."""
    setattr(ProcessPreflight, "prepare", lambda _: None)  # noqa: B010 - mypy knows methods as fixed
    setattr(ProcessPreflight, "try_model", lambda *_: Tried(1.0, 1.0, 1, 1, 1.0))  # noqa: B010


def _stop_at(last: Step) -> None:
    def reach(step: Step, /) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    if last is not Step.PREFLIGHT:
        believe_every_model()
    sys.exit(main(reach))


if __name__ == "__main__":
    _stop_at(Step(int(sys.argv[1])))
