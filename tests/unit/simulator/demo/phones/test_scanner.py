import asyncio
from typing import cast

import pytest

from simulator.demo.live_state import LiveState
from simulator.demo.phones.chain_api import PhoneError
from simulator.demo.phones.scanner import Phone, Scanner
from simulator.demo.phones.story import PhoneStory

_URL = "http://polar-scoop.localhost:9/c/a-code"


class _PaperPhone:
    """Says what the test wants it to say."""

    def __init__(self, *, yes: bool = True, states: tuple[str, ...] = ("kept",), lost: bool = False) -> None:
        self.codes: list[str] = []
        self.closed = False
        self._yes, self._states, self._lost = yes, list(states), lost

    async def say_yes(self, code: str) -> bool:
        self.codes.append(code)
        if self._lost:
            raise PhoneError("refused for the test")
        return self._yes

    async def state(self, code: str) -> str:
        assert code == "a-code"
        return self._states.pop(0)

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def scanner(live: LiveState) -> Scanner:
    return Scanner({"polar-scoop": []}, PhoneStory({}), live)


async def _scan(scanner: Scanner, *phones: _PaperPhone) -> list[bool]:
    """Each phone in its turn, until all of it has an end."""
    scanner.phones["polar-scoop"] = [cast("Phone", phone) for phone in phones]
    async with asyncio.timeout(20), scanner:
        said = [await scanner.scan("polar-scoop", _URL) for _ in phones]
        await scanner.rest()
    assert all(phone.closed for phone in phones)
    return said


@pytest.mark.parametrize(("state", "kept", "over"), [("kept", 1, 0), ("over", 0, 1), ("withdrawn", 0, 1)])
async def test_a_yes_is_followed_to_its_end(scanner: Scanner, state: str, kept: int, over: int) -> None:
    phone = _PaperPhone(states=("given", state))
    assert await _scan(scanner, phone) == [True]
    found = scanner.story.handovers
    assert phone.codes == ["a-code"]
    assert (found.scanned, found.yes, found.kept, found.over, found.open) == (1, 1, kept, over, 0)


async def test_phones_take_turns(scanner: Scanner) -> None:
    phones = _PaperPhone(), _PaperPhone()
    assert await _scan(scanner, *phones) == [True, True]
    assert [len(phone.codes) for phone in phones] == [1, 1]


async def test_a_code_that_is_not_open_is_no_error(scanner: Scanner) -> None:
    assert await _scan(scanner, _PaperPhone(yes=False)) == [False]
    assert scanner.story.handovers.yes == 0
    assert scanner.live.errors == []


async def test_a_refusal_is_an_error_and_has_to_be_said_at_the_till(scanner: Scanner) -> None:
    assert await _scan(scanner, _PaperPhone(lost=True)) == [False]
    assert scanner.live.errors == ["a phone at a till: refused for the test"]
