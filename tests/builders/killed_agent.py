"""`python -m tests.builders.killed_agent CONFIG STEP`: an agent that the power leaves at a step of an update.

It is the next update that counts: what an earlier process left to do is done before.
"""

from __future__ import annotations

import os
import signal
import sys

from edge_agent.adapters.config_sources import load_config
from edge_agent.commands.daemon import start
from edge_agent.updates.steps import Step


def main() -> int:
    config, last = sys.argv[1], Step(int(sys.argv[2]))
    seen: set[Step] = set()

    def stepped(step: Step) -> None:
        if step is Step.ORDERED:
            seen.clear()
        seen.add(step)
        # An agent clears up on other occasions, too.
        if step is last and Step.ORDERED in seen and (step is not Step.CLEARED or Step.CONCLUDED in seen):
            os.kill(os.getpid(), signal.SIGKILL)

    return start(load_config(config, os.environ).config, stepped)


if __name__ == "__main__":
    sys.exit(main())
