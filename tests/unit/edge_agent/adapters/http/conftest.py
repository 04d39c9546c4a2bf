from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.local_api import LocalApi, running_api
from tests.builders.tiny_model import build_model_dir


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("model") / "tiny", golden=False)


@pytest.fixture(scope="module")
def still_api(tiny_model: Path) -> Iterator[LocalApi]:
    """A running API that a whole module shares; for tests that change nothing."""
    with running_api(tiny_model) as running:
        running.register.somebody_likes("mango")
        yield running


@pytest.fixture
def api(tiny_model: Path) -> Iterator[LocalApi]:
    """A running API with a model, all arms off, and somebody before the camera who likes mango."""
    from edge_agent.config import ArmsConfig

    with running_api(tiny_model, arms=ArmsConfig(explore=0.0, bestsellers=0.0)) as running:
        running.register.somebody_likes("mango")
        yield running
