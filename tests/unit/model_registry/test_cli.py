import importlib
import sys
from typing import Any

import pytest

from model_registry import cli
from model_registry.errors import MissingPackages
from topscoop.cli import build_parser


@pytest.mark.parametrize(
    "verb",
    [
        "data",
        "train",
        "quantize",
        "evaluate",
        "sign",
        "publish",
        "withdraw",
        "alias",
        "minimum",
        "log",
        "verify",
        "renew",
    ],
)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser("model").parse_args(["model", verb, "--help"])
    assert caught.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_quick_training_needs_no_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(cli, "_run", lambda module, args: seen.update(vars(args), module=module) or 0)
    args = build_parser("model").parse_args(["model", "train", "d", "--out", "o", "--quick"])
    assert args.run(args) == 0
    assert (seen["module"], seen["teacher_steps"], seen["student_steps"]) == ("train_command", 0, 2500)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the command says what to install, and shows no traceback."""

    def fail(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

    monkeypatch.setattr(importlib, "import_module", fail)
    args = build_parser_before_failing(["model", "data", "--chain", "c", "--out", "o"])
    with pytest.raises(MissingPackages, match="pyarrow") as caught:
        args.run(args)
    assert "topscoop[train]" in caught.value.remedy


def test_a_missing_package_of_the_registry_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tuf.api.exceptions", None)
    monkeypatch.delitem(sys.modules, "model_registry.releases.state", raising=False)
    monkeypatch.delitem(sys.modules, "model_registry.releases.log", raising=False)
    args = build_parser("model").parse_args(["model", "log", "--store", "s", "--chain", "c"])
    with pytest.raises(MissingPackages, match="tuf") as caught:
        args.run(args)
    assert "topscoop[registry]" in caught.value.remedy


def build_parser_before_failing(words: list[str]) -> Any:
    import argparse

    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    return parser.parse_args(words)
