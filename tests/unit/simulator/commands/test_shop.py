import argparse
from pathlib import Path

import pytest

from simulator.commands import shop
from wire_protocol.errors import OperatorError


def test_a_token_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    arguments = argparse.Namespace(
        url="http://127.0.0.1:9", token_file=tmp_path / "none", ring=tmp_path / "ring", chain="polar-scoop",
        shop=None, seed=1, seconds=1.0, json=True,
    )  # fmt: skip
    with pytest.raises(OperatorError, match="pairing token cannot be read") as caught:
        shop.run(arguments)
    assert "pairing-token" in caught.value.remedy
