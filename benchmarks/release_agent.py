"""`python -m benchmarks.release_agent CONFIG FILE [CORE]`: the agent, which notes the steps of its updates.

Its updater notes its own (`benchmarks.timed_updater`), and runs on CORE where one is given. All else is as
`topscoop edge run` starts it.
"""

import os
import sys
from functools import partial

from benchmarks.step_notes import noting
from edge_agent.adapters.config_sources import load_config
from edge_agent.adapters.updates.assembly import UpdatesAround
from edge_agent.adapters.updates.updater_process import UpdaterProcess
from edge_agent.adapters.uplink import assembly
from edge_agent.commands.daemon import start


def main() -> int:
    """Run one agent."""
    config, notes, *core = sys.argv[1:]
    # Before it begins: Python's start alone takes a core for longer than a request.
    there = ("taskset", "--cpu-list", *core) if core else ()
    updater = partial(UpdaterProcess, (*there, sys.executable, "-m", "benchmarks.timed_updater", notes))
    setattr(assembly, "UpdatesAround", partial(UpdatesAround, errand=updater))  # noqa: B010 - mypy knows it as fixed
    note = noting(notes, "agent")
    return start(load_config(config, os.environ).config, lambda step: note(step.name))


if __name__ == "__main__":
    sys.exit(main())
