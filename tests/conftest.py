"""What holds for all tests: how properties run, and that no test changes how the others log."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

import inference  # noqa: F401 - before any test imports ONNX Runtime, which it keeps from reporting

pytest_plugins = ["tests.builders.service_fixtures"]

# A timing is never a test's pass condition: a busy machine must not fail a property.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    """Tests of the log's set-up change the root logger; the next test finds it as before."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, root.handlers[:], root.manager.disable
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.disable(disabled)
