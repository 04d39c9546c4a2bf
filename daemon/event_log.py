"""The log of a process: stable event names with fields; JSON lines for machines, words on a terminal.

Whoever logs writes `log.info("menu.changed", extra=fields(version=3))` (`daemon.log_fields`). What must never
stand in a log (pictures, keys, codes of customers) is withheld here by name and by type, should somebody pass
it by mistake.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

import orjson

from daemon.log_fields import FIELDS_ATTRIBUTE

Format = Literal["auto", "json", "human"]

_FORBIDDEN: Final = frozenset(
    {
        "authorization",
        "code",
        "database_url",
        "frame",
        "key",
        "keys_url",
        "password",
        "pixels",
        "private",
        "receipt_id",
        "secret",
        "token",
        "tokens",
        "withdrawal_code",
    }
)
_COLOURS: Final = {"DEBUG": "\033[2m", "INFO": "", "WARNING": "\033[33m", "ERROR": "\033[31m"}
_RESET: Final = "\033[0m"


def set_up(style: Format, level: str, stream: TextIO | None = None) -> None:
    """Send every log record of the process to `stream` (standard error), one line each.

    Args:
        style: `auto` means human on a terminal and JSON lines otherwise.
        level: Name of the lowest level that is written, such as `INFO`.
        stream: Where to write.
    """
    target = stream if stream is not None else sys.stderr
    human = style == "human" or (style == "auto" and target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(HumanFormatter(colour=target.isatty()) if human else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their own news are not ours; botocore at level debug would write whole requests, and tuf tells at each
    # look which of the root's keys did not sign, although enough did.
    for name in ("uvicorn", "asyncio", "alembic", "boto3", "botocore", "urllib3", "sqlalchemy", "tuf"):
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """One JSON object per record: `time`, `level`, `event`, the fields, `error` for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        event, values = _event(record)
        document = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": event,
            **values,
        }
        if record.exc_info and record.exc_info[0] is not None:
            document["error"] = "".join(traceback.format_exception(*record.exc_info))
        return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class HumanFormatter(logging.Formatter):
    """`14:02:07 warning camera.away  source=/dev/video0`, coloured on a terminal."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the traceback below it where there is one."""
        event, values = _event(record)
        words = "  ".join(f"{name}={_printable(value)}" for name, value in values.items())
        clock = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{clock} {record.levelname.lower():<7} {event:<24} {words}".rstrip()
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if self._colour and (code := _COLOURS.get(record.levelname)):
            line = code + line + _RESET
        return line


def _event(record: logging.LogRecord) -> tuple[str, Mapping[str, object]]:
    """Event name and fields of a record, ours or a library's."""
    values = getattr(record, FIELDS_ATTRIBUTE, None)
    if values is None:
        return "library.message", {"logger": record.name, "message": record.getMessage()}
    return record.getMessage(), {
        name: "(withheld)" if name in _FORBIDDEN or isinstance(value, bytes | memoryview) else value
        for name, value in values.items()
    }


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, tz=UTC)


def _printable(value: object) -> str:
    """A value on one line; control characters of hostile input cannot move the terminal's cursor."""
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    if text.isprintable() and " " not in text:
        return text
    return orjson.dumps(text).decode() if text.isprintable() else ascii(text)
