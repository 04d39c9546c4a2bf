"""`python -m benchmarks.timed_updater FILE`: the updater, which notes when it reaches each step."""

import sys

from benchmarks.step_notes import noting

if __name__ == "__main__":
    note = noting(sys.argv[1], "updater")
    note("START")
    # What takes its time to import is the updater's own, and is counted.
    from edge_agent.updater.process import main

    sys.exit(main(lambda step: note(step.name)))
