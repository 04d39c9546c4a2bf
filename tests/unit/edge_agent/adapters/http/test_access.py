"""Threat T29, decided without a socket: who may call the local API."""

from dataclasses import replace

import pytest

from edge_agent.adapters.http.access import LOOPBACK_NAMES, AccessRules, Refusal, RequestHead, Verdict

TOKEN = "till-one-0123456789"
RULES = AccessRules(LOOPBACK_NAMES, 8710, ["https://POS.example/"], [TOKEN, "till-two-0123456789"])
GOOD = RequestHead("POST", "/v1/interactions", "127.0.0.1:8710", None, f"Bearer {TOKEN}")
DISPLAYED = "/v1/interactions/01a203a7-2ca9-7f85-b2d2-1fbd4bb9502b/displayed"
OWN = "http://127.0.0.1:8710"


def judged(**changes: object) -> Verdict:
    return RULES.judge(replace(GOOD, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost:8710", "LOCALHOST:8710", "[::1]:8710"])
def test_loopback_names_with_the_right_port_are_served(host: str) -> None:
    """However a till on the same machine spells it."""
    assert judged(host=host) == Verdict(None, paired=True)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:8710",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8710.evil.example",
        "127.0.0.1.evil.example:8710",
        "localhost:8710@evil.example",
        "[::1]",
        "0.0.0.0:8710",
        "127.0.0.1:8710, evil.example",
        "localhost.:8710",
    ],
)
def test_every_other_host_is_refused_t29(host: str | None) -> None:
    """T29: a rebound name reaches the port, not the agent, even with a stolen token."""
    assert judged(host=host).refusal is Refusal.HOST


def test_a_repeated_header_is_refused() -> None:
    """Two Hosts: whichever we read, a proxy may have read the other."""
    assert judged(repeated=True).refusal is Refusal.HOST


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://127.0.0.1:8710.evil.example",
        "http://127.0.0.1",
        "https://127.0.0.1:8710",
        "http://127.0.0.1:8711",
        "http://pos.example",
        "https://pos.example.evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_foreign_origin_is_refused_t29(origin: str, method: str) -> None:
    """T29: for reading as well, and before the token is looked at."""
    assert judged(origin=origin, method=method).refusal is Refusal.ORIGIN


def test_no_origin_is_no_browser() -> None:
    """Tills send none."""
    assert judged(origin=None).refusal is None


def test_an_allowed_foreign_origin_is_named_for_cors_and_still_needs_its_token() -> None:
    """The answer's headers repeat the origin as the browser wrote it."""
    assert judged(origin="https://POS.example") == Verdict(None, "https://POS.example", paired=True)
    verdict = judged(origin="https://pos.example", authorization=None)
    assert verdict == Verdict(Refusal.TOKEN, "https://pos.example")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer " + "a" * 600,
        "Bearer tïll",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_writing_needs_a_pairing_token_t29(authorization: str | None, method: str) -> None:
    """T29: another process of the machine changes nothing."""
    assert judged(authorization=authorization, method=method).refusal is Refusal.TOKEN


@pytest.mark.parametrize(
    "authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN} ", "Bearer till-two-0123456789"]
)
def test_any_paired_till_may_write(authorization: str) -> None:
    """The scheme's case does not matter (RFC 9110)."""
    assert judged(authorization=authorization).refusal is None


def test_without_any_token_nobody_may_write() -> None:
    """An empty list is not an open door."""
    rules = AccessRules(LOOPBACK_NAMES, 8710, [], [])
    assert rules.judge(replace(GOOD, authorization="Bearer ")).refusal is Refusal.TOKEN


def test_reading_needs_no_token() -> None:
    """The display and Prometheus have none."""
    assert judged(method="GET", authorization=None).refusal is None


def test_only_the_own_page_confirms_without_a_token() -> None:
    """The display may say that it displayed, and nothing else."""
    assert judged(path=DISPLAYED, origin=OWN, authorization=None).refusal is None
    assert judged(path=DISPLAYED, origin=None, authorization=None).refusal is Refusal.TOKEN
    assert judged(path=DISPLAYED, origin="https://pos.example", authorization=None).refusal is Refusal.TOKEN
    assert judged(path="/v1/interactions", origin=OWN, authorization=None).refusal is Refusal.TOKEN


def test_the_own_page_may_tell_the_customers_answer_without_being_a_till() -> None:
    """It is let in, but not as paired: codes and spoken answers are for tills."""
    answer = DISPLAYED.replace("/displayed", "/consent")
    assert judged(path=answer, origin=OWN, authorization=None) == Verdict(None, paired=False)
    assert judged(path=answer, origin=None, authorization=None).refusal is Refusal.TOKEN
    assert judged(path=answer, origin=OWN).paired


def test_port_80_is_left_out_of_host_and_origin() -> None:
    """Browsers leave it out."""
    rules = AccessRules(LOOPBACK_NAMES, 80, [], [TOKEN])
    head = replace(GOOD, host="localhost", origin="http://localhost")
    assert rules.judge(head).refusal is None


def test_a_unix_socket_has_no_port_to_compare() -> None:
    """Names are still compared, and tokens still needed."""
    assert judged(over_unix_socket=True, host="localhost").refusal is None
    assert judged(over_unix_socket=True, host="evil.example").refusal is Refusal.HOST
    assert judged(over_unix_socket=True, host="localhost", authorization=None).refusal is Refusal.TOKEN
