"""Commands of the cloud as a shell runs them, in this process."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

from topscoop.cli import main


def cloud(*words: object) -> tuple[int, str, str]:
    """Exit status, output and errors of `topscoop cloud …`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["cloud", *map(str, words)])
    return status, out.getvalue(), err.getvalue()


def cloud_json(*words: object) -> Any:
    """What `topscoop cloud … --json` prints."""
    status, out, err = cloud(*words, "--json")
    assert status == 0, err
    return json.loads(out)
