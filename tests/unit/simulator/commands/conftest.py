"""Commands open a bank of customers; the tests' small one stands in for it."""

import pytest

from simulator.bank import CharacterBank


@pytest.fixture(autouse=True)
def _small_bank(bank: CharacterBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CharacterBank, "open", lambda *_args, **_options: bank)
