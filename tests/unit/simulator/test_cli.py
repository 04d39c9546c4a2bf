import argparse

import pytest

from simulator.cli import add_commands


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    return parser


@pytest.mark.parametrize(
    "line",
    [
        ["demo", "--check", "--seconds", "8", "--seed", "3", "--port", "0", "--registers", "2", "--json"],
        ["sim", "sheet", "out.png", "--frames", "4"],
        ["sim", "clip", "out.avi", "--chain", "polar-scoop", "--shop", "arcade", "--seconds", "1.5"],
        ["sim", "shop", "--url", "http://127.0.0.1:1", "--token-file", "t", "--ring", "r", "--json"],
    ],
    ids=lambda line: " ".join(line[:2]),
)
def test_every_verb_can_be_run(parser: argparse.ArgumentParser, line: list[str]) -> None:
    assert callable(parser.parse_args(line).run)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (["demo", "--seconds", "0"], "must be at least 1"),
        (["demo", "--seconds", "nan"], "must be at least 1"),
        (["demo", "--seconds", "soon"], "must be a number"),
        (["demo", "--port", "70000"], "must be between 0 and 65535"),
        (["demo", "--registers", "5"], "invalid choice"),
        (["sim", "sheet", "out.png", "--frames", "0"], "must be at least 1"),
        (["sim"], "required"),
    ],
)
def test_wrong_use_is_told(
    parser: argparse.ArgumentParser, line: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(line)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
