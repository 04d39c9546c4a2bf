"""`python -m topscoop` is the command `topscoop`."""

import sys

from topscoop.cli import main

sys.exit(main())
