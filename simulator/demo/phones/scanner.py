"""A customer's own phone at the till: scans the code on the display, logs in, says yes."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self

import httpx

from simulator.demo.live_state import LiveState
from simulator.demo.phones.chain_api import TIMEOUT_S, PhoneError, address_of, expect
from simulator.demo.phones.story import PhoneStory

_BUTTON: Final = re.compile(r'href="(/login/[^"?]+)')
_LOOK_EVERY_S: Final = 0.5
_NOTICE_TRIES: Final = 20
_PAUSE_S: Final = 0.25
_ENDS_WITHIN_S: Final = 40.0
_ENDS: Final = frozenset({"kept", "over", "withdrawn"})


class Phone:
    """One person's browser at one chain.

    Args:
        public_url: The API's address, with `{tenant}`.
        tenant: The chain.
        subject: Who logs in at the identity provider, which asks for no password.
    """

    def __init__(self, public_url: str, tenant: str, subject: str) -> None:
        address, self._host = address_of(public_url, tenant)
        self._subject = subject
        self._browser = httpx.AsyncClient(
            base_url=address, headers={"Host": self._host}, trust_env=False, timeout=TIMEOUT_S
        )
        self._elsewhere = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S)
        self._csrf: str | None = None
        self._logging_in = asyncio.Lock()

    async def aclose(self) -> None:
        """Close connections."""
        await self._browser.aclose()
        await self._elsewhere.aclose()

    async def say_yes(self, code: str) -> bool:
        """Read what the register asks, and agree to it; False where the code is not open any more.

        Raises:
            PhoneError: Another answer than these.
        """
        await self._log_in()
        asked = await self._asked(code)
        if asked is None or asked["state"] != "open":
            return False
        notice = asked["notice"]
        yes = {
            "granted": True,
            "purposes": notice["purposes"][:1],
            "notice_sha256": notice["sha256"],
            "language": notice["language"],
        }
        headers = {"Origin": f"http://{self._host}", "X-CSRF-Token": self._csrf or ""}
        answer = await self._browser.post(f"/v1/handovers/{code}", json=yes, headers=headers)
        if answer.status_code == HTTPStatus.GONE:
            return False
        return bool(expect(answer, HTTPStatus.CREATED)["state"] == "given")

    async def state(self, code: str) -> str:
        """What has become of one's yes."""
        answer = await self._browser.get(f"/v1/handovers/{code}")
        return "over" if answer.status_code == HTTPStatus.GONE else expect(answer, HTTPStatus.OK)["state"]

    async def _asked(self, code: str) -> dict[str, Any] | None:
        """What the code asks. A register's notices may come a moment later than its code."""
        for _ in range(_NOTICE_TRIES):
            answer = await self._browser.get(f"/v1/handovers/{code}", params={"language": "en"})
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(_PAUSE_S)
        if answer.status_code in {HTTPStatus.GONE, HTTPStatus.SERVICE_UNAVAILABLE}:
            return None
        return expect(answer, HTTPStatus.OK)

    async def _log_in(self) -> None:
        """As a browser: the chain's button, the provider's page, and back."""
        async with self._logging_in:
            if self._csrf is not None:
                return
            page = await self._browser.get("/login")
            button = _BUTTON.search(page.text)
            if button is None:
                raise PhoneError(f"the login page has no button ({page.status_code})")
            began = await self._browser.get(button[1])
            provider = began.headers.get("location", "")
            vouched = await self._elsewhere.post(provider, data={"sub": self._subject})
            back = httpx.URL(vouched.headers.get("location", ""))
            ended = await self._browser.get(back.raw_path.decode())
            if ended.status_code != HTTPStatus.SEE_OTHER:
                raise PhoneError(f"a login ended with {ended.status_code}")
            self._csrf = str(expect(await self._browser.get("/v1/me"), HTTPStatus.OK)["csrf"])


@dataclass(slots=True)
class Scanner:
    """Customers who rather answer on their own phone than on the till's display.

    Args:
        phones: Of each chain; they take turns.
        story: Told of codes and what becomes of them.
        live: Told what goes wrong.
    """

    phones: dict[str, list[Phone]]
    story: PhoneStory
    live: LiveState
    _following: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        """Nothing is connected yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop looking, and close connections."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        for phones in self.phones.values():
            for phone in phones:
                await phone.aclose()

    async def scan(self, tenant: str, url: str) -> bool:
        """A customer scans this code and says yes; False: it has to be said at the till."""
        phones = self.phones[tenant]
        self.story.handovers.scanned += 1
        phone = phones[self.story.handovers.scanned % len(phones)]
        code = url.rpartition("/c/")[2]
        try:
            if not await phone.say_yes(code):
                return False
        except (PhoneError, httpx.TransportError) as error:
            self.live.broken(f"a phone at a till: {str(error) or type(error).__name__}")
            return False
        self.story.handovers.yes += 1
        following = asyncio.create_task(self._follow(phone, code), name="hand-over")
        self._following.add(following)
        following.add_done_callback(self._following.discard)
        return True

    async def rest(self) -> None:
        """Return when every yes has come to its end."""
        while self._following:
            await asyncio.wait(set(self._following))

    async def _follow(self, phone: Phone, code: str) -> None:
        try:
            async with asyncio.timeout(_ENDS_WITHIN_S):
                state = await phone.state(code)
                while state not in _ENDS:
                    await asyncio.sleep(_LOOK_EVERY_S)
                    state = await phone.state(code)
        except (TimeoutError, PhoneError, httpx.TransportError) as error:
            self.live.broken(f"a hand-over without an end: {str(error) or type(error).__name__}")
            return
        if state == "kept":
            self.story.handovers.kept += 1
        else:
            self.story.handovers.over += 1
