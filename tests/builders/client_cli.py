"""`topscoop client …` as a shell runs it, in this process, over the API of a `ClientStage`."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from tests.builders.client_stage import ORIGIN
from topscoop.cli import main

if TYPE_CHECKING:
    import pytest

    from tests.builders.client_stage import ClientStage


class Terminal(io.StringIO):
    """Standard input with somebody behind it."""

    def isatty(self) -> bool:
        return True


class Shell:
    """Runs commands; what they say is read back."""

    def __init__(
        self, stage: ClientStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setattr("api_client.chain.World", lambda: stage.world)
        monkeypatch.setenv("XDG_STATE_HOME", str(stage.folder / "state"))
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        self.type(None)

    def type(self, text: str | None) -> None:
        """What a person types next; None: nobody is there."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO() if text is None else Terminal(text))

    def __call__(self, verb: str, *words: object, chain: str = ORIGIN) -> tuple[int, str, str]:
        """Exit status, output, errors."""
        status = main(["client", verb, *map(str, words), "--chain", chain])
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def json(self, verb: str, *words: object) -> Any:
        """What `--json` prints."""
        status, out, err = self(verb, *words, "--json")
        assert status == 0, err
        return json.loads(out)
