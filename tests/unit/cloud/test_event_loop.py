import asyncio
import sys

import pytest

from cloud.event_loop import fast_loop


def test_uvloop_where_it_is_installed() -> None:
    """What it gives makes loops."""
    made = fast_loop()
    assert made is not None
    assert made.__module__.startswith("uvloop")
    with asyncio.Runner(loop_factory=made) as runner:
        assert runner.run(asyncio.sleep(0, "done")) == "done"


def test_asyncios_own_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service starts where there is no uvloop."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert fast_loop() is None
