"""The command line knows the client, and imports little for its help."""

from __future__ import annotations

import subprocess
import sys

import pytest

import api_client

_HEAVY = ("httpx", "attrs", "cv2", "numpy", "dateutil", "cloud")


def test_help_imports_nothing_heavy() -> None:
    """Help is quick: no verb imports what it works with before it runs."""
    code = (
        "import sys; from topscoop.cli import build_parser; "
        f"build_parser('client'); print([m for m in {_HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_packages_names_are_there() -> None:
    """Each is imported when it is asked for; no other is."""
    assert all(hasattr(api_client, name) for name in api_client.__all__)
    assert not hasattr(api_client, "Chains")


@pytest.mark.parametrize("verb", ["recommend", "login", "logout", "outcome", "history", "export", "erase"])
def test_each_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the chain, JSON and the authority."""
    from topscoop.cli import main

    with pytest.raises(SystemExit) as done:
        main(["client", verb, "--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    for option in ("--chain", "--base-url", "--ca", "--json"):
        assert option in said
