"""Tests of training run where torch is; REQUIRE_TRAIN=1 makes its absence a failure and not a skip."""

import importlib.util
import os

import pytest

MISSING = importlib.util.find_spec("torch") is None
REASON = "torch is not installed: nothing here tests training (REQUIRE_TRAIN=1 makes this an error)"


def require_torch() -> None:
    """Skip the calling module loudly, or fail it under REQUIRE_TRAIN=1."""
    if MISSING and os.environ.get("REQUIRE_TRAIN") == "1":
        pytest.fail("REQUIRE_TRAIN=1, but torch is not installed: pip install 'topscoop[train]'")
    if MISSING:
        pytest.skip(REASON, allow_module_level=True)
