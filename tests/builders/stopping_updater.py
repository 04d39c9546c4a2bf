"""`python -m tests.builders.stopping_updater STEP`: the updater, killed by SIGKILL when it reaches a step."""

import os
import signal
import sys

from edge_agent.updater.process import main
from edge_agent.updater.steps import Step


def _stop_at(last: Step) -> None:
    def reach(step: Step, /) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.exit(main(reach))


if __name__ == "__main__":
    _stop_at(Step(int(sys.argv[1])))
