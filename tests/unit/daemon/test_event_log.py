"""One line per event, for machines and for people."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from daemon.event_log import Format, set_up
from daemon.log_fields import fields


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(style: Format, stream: io.StringIO | None = None, level: str = "info") -> io.StringIO:
    target = stream or io.StringIO()
    set_up(style, level, target)
    return target


def test_machines_get_one_json_object_per_event() -> None:
    """Time, level, stable name, fields."""
    target = written("auto")
    logging.getLogger("edge_agent.x").warning("camera.away", extra=fields(camera="0", tries=3))
    document = json.loads(target.getvalue())
    assert document.pop("time").endswith("Z")
    assert document == {"level": "warning", "event": "camera.away", "camera": "0", "tries": 3}


def test_people_get_words_on_a_terminal() -> None:
    """Aligned and coloured."""
    target = written("auto", Terminal())
    logging.getLogger("edge_agent.x").warning("camera.away", extra=fields(camera="0", age=1.23456))
    assert "camera.away" in target.getvalue()
    assert "camera=0  age=1.23" in target.getvalue()
    assert target.getvalue().startswith("\033[33m")


def test_the_style_can_be_chosen() -> None:
    """JSON on a terminal, words in a file."""
    assert json_after(written("json", Terminal()))
    plain = written("human")
    logging.getLogger("edge_agent.x").info("agent.ready", extra=fields())
    assert "\033" not in plain.getvalue()
    assert "agent.ready" in plain.getvalue()


def json_after(target: io.StringIO) -> object:
    logging.getLogger("edge_agent.x").info("agent.ready", extra=fields(url="http://x"))
    return json.loads(target.getvalue())


@pytest.mark.parametrize("style", ["json", "human"])
@pytest.mark.parametrize(
    "secret",
    [
        {"token": "abcdef-0123456"},
        {"receipt_id": "abcdef-0123456"},
        {"data": b"abcdef-0123456"},
        {"frame": "abcdef-0123456"},
    ],
)
def test_what_must_not_be_logged_is_withheld(style: Format, secret: dict[str, object]) -> None:
    """By name and by type, should somebody pass it by mistake."""
    target = written(style)
    logging.getLogger("edge_agent.x").info("mistake.made", extra=fields(**secret))
    assert "abcdef" not in target.getvalue()
    assert "(withheld)" in target.getvalue()


@pytest.mark.parametrize("style", ["json", "human"])
def test_hostile_text_stays_on_its_line(style: Format) -> None:
    """No forged line, no escape sequence for the terminal."""
    target = written(style)
    logging.getLogger("edge_agent.x").info("menu.changed", extra=fields(name="a\n{}\033[2Jb"))
    assert target.getvalue().count("\n") == 1
    assert "\033" not in target.getvalue()


@pytest.mark.parametrize("style", ["json", "human"])
def test_an_exception_comes_with_its_traceback(style: Format) -> None:
    """And what raised it."""
    target = written(style)
    try:
        int("broken")
    except ValueError:
        logging.getLogger("edge_agent.x").exception("agent.failed", extra=fields(task="api"))
    assert "ValueError: invalid literal" in target.getvalue()
    assert "test_event_log" in target.getvalue()


def test_libraries_are_told_apart_and_quiet() -> None:
    """Their text is a field, not the event's name; uvicorn's start, tuf's keys that need not sign: untold."""
    target = written("json", level="debug")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("tuf.api._payload").info("No signature for keyid 12")
    logging.getLogger("somebody").warning("%d things", 3)
    document = json.loads(target.getvalue())
    assert (document["event"], document["logger"], document["message"]) == (
        "library.message",
        "somebody",
        "3 things",
    )


def test_the_level_is_kept() -> None:
    """Less important events are not written."""
    target = written("json", level="warning")
    logging.getLogger("edge_agent.x").info("agent.ready", extra=fields())
    assert target.getvalue() == ""
