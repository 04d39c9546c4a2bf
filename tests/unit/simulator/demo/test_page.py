import re
import socket

import httpx
import pytest

from simulator.demo.errors import PagePortBusyError
from simulator.demo.feed import Feed
from simulator.demo.live_state import LiveState
from simulator.demo.page import STATIC, bind_page, build_app
from simulator.demo.pictures import Pictures


@pytest.fixture
def client(live: LiveState) -> httpx.AsyncClient:
    app = build_app(Feed(live, lambda: 0.0), Pictures(list(live.registers)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")


async def test_the_page_and_all_that_it_names_is_served(client: httpx.AsyncClient) -> None:
    async with client:
        page = await client.get("/")
        named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert "/static/main.js" in named
        for path in named:
            assert (await client.get(path)).status_code == 200


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    async with client:
        for path in ("/", "/static/main.js", "/nothing"):
            headers = (await client.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["shops.example", "127.0.0.1.example", ""])
async def test_a_foreign_host_name_is_refused(client: httpx.AsyncClient, host: str) -> None:
    """A page elsewhere that points its name at this machine sees nothing (T29)."""
    async with client:
        assert (await client.get("/", headers={"Host": host})).status_code == 400


@pytest.mark.parametrize("path", ["/static/../page.py", "/static/%2e%2e/page.py", "/docs", "/openapi.json"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    async with client:
        assert (await client.get(path)).status_code == 404


def test_the_page_names_no_other_machine() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]", text), path.name


def test_a_busy_port_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PagePortBusyError) as caught:
            bind_page(other.getsockname()[1])
    assert "--port" in caught.value.remedy


async def test_a_cable_is_plugged_by_json_of_this_origin_only(live: LiveState) -> None:
    """A page elsewhere can send forms, but no JSON without asking; an unknown register is 404."""
    orders: list[tuple[str, bool]] = []

    def plug(register: str, plugged: bool) -> bool:  # noqa: FBT001 - what a button says
        orders.append((register, plugged))
        return register == "polar-scoop/elm-park"

    app = build_app(Feed(live, lambda: 0.0), Pictures([]), plug)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000"
    ) as client:
        path = "/cables/polar-scoop/elm-park"
        assert (await client.put(path, json={"plugged": False})).status_code == 204
        assert (await client.put("/cables/polar-scoop/none", json={"plugged": True})).status_code == 404
        assert len(orders) == 2
        form = await client.put(path, content='{"plugged": true}', headers={"Content-Type": "text/plain"})
        assert form.status_code == 422
        assert (await client.put(path, json={"plugged": "no"})).status_code == 422
        assert len(orders) == 2
