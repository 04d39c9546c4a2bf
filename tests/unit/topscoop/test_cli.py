"""The one command and its promise to import only what a verb needs."""

import subprocess
import sys

import pytest

from topscoop import cli
from wire_protocol.errors import OperatorError, TopscoopError

_HEAVY = ("fastapi", "onnxruntime", "cv2", "torch", "dicebear_core", "pyarrow")


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "topscoop", *words], capture_output=True, text=True, check=False
    )


def test_help_names_every_verb() -> None:
    """`topscoop --help` shows what there is."""
    done = _run("--help")
    assert done.returncode == 0
    for verb in ("recommend", "edge", "model", "sim", "demo"):
        assert verb in done.stdout


@pytest.mark.parametrize("verb", ["recommend", "edge", "model", "sim", "demo"])
def test_help_of_each_verb_imports_nothing_heavy(verb: str) -> None:
    """Help is quick everywhere: no verb imports its engine before it runs."""
    code = (
        "import sys; from topscoop.cli import build_parser; "
        f"build_parser({verb!r}); print([m for m in {_HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_command_is_wrong_use() -> None:
    """Without a command the help is shown and the exit status says so."""
    assert _run().returncode == 2


@pytest.mark.parametrize(("error", "status"), [(OperatorError, 2), (TopscoopError, 1)])
def test_an_error_prints_what_happened_and_what_to_do(
    error: type[TopscoopError],
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error is one line on stderr, its remedy the next; the exit status tells set-up from failure."""

    def fail(_args: object) -> int:
        raise error("the fridge is warm", remedy="close its door")

    parser = cli.argparse.ArgumentParser()
    parser.set_defaults(run=fail)
    monkeypatch.setattr(cli, "build_parser", lambda _verb: parser)
    assert cli.main([]) == status
    assert capsys.readouterr().err == "topscoop: error: the fridge is warm\n  close its door\n"


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    """`topscoop … | head -1` ends quietly."""
    command = f"{sys.executable} -m topscoop edge config schema | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "{"
    assert done.stderr == ""
