"""What tests need of the machine; what is missing is a loud skip, or a failure where it was promised."""

import os
import shutil
from pathlib import Path

import pytest


def skip_or_fail(reason: str) -> None:
    """Skip the test for this reason; fail it where CI=true or REQUIRE_SERVICES=1 promise all services."""
    if os.environ.get("CI", "").lower() == "true" or os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason} (not skipped: CI or REQUIRE_SERVICES is set)", pytrace=False)
    pytest.skip(reason)


def require(name: str, available: bool) -> None:  # noqa: FBT001 - reads as a sentence: require("chromium", found)
    """Go on only where this service is there; `make test` as root on Debian installs them."""
    if not available:
        skip_or_fail(f"{name} is missing; `tests/install-services` as root installs it")


def require_program(name: str) -> Path:
    """The path of a program of the system."""
    # Servers stand where the PATH of users who are not root does not look.
    path = shutil.which(
        name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    )
    require(name, path is not None)
    assert path is not None
    return Path(path)
