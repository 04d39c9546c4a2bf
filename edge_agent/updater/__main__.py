"""`python -m edge_agent.updater`: one errand over standard input and output."""

import sys

from edge_agent.updater.process import main

if __name__ == "__main__":
    sys.exit(main())
