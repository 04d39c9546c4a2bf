import argparse
from pathlib import Path

import cv2
import pytest

from simulator.commands import sheet
from wire_protocol.errors import OperatorError


def test_a_sheet_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "sheet.png"
    assert sheet.run(argparse.Namespace(output=output, frames=7, seed=1)) == 0
    assert cv2.imread(str(output)).shape == (480, 1920, 3)
    assert f"7 frames in {output}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sheet.unknown", "no/such/folder/sheet.png"])
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatorError, match="cannot be written"):
        sheet.run(argparse.Namespace(output=tmp_path / name, frames=1, seed=1))
