"""What S3 servers say when an object was put: AWS and Ceph in records, SeaweedFS in its own way.

An event is a hint. Nothing of it is believed but the key, and that is looked up; keys of AWS are URL-encoded,
those of others are not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson

from cloud.intake.values import ObjectPlace
from wire_protocol.errors import TopscoopError

EVENT_MAX_BYTES: Final = 262_144
"""Of one message; SQS took as much for years, and a record has about 1,000."""
RECORDS_MAX: Final = 1000
_CREATED: Final = re.compile(r"(s3:)?ObjectCreated:.{1,64}")
_WEED_PUT: Final = frozenset({"create", "update"})
_WEED_ROOT: Final = "/buckets/"


class GarbageEvent(TopscoopError):
    """The message is no event of an S3 server."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message told.

    Attributes:
        places: Where something was put, each once, in the order of the message.
        foreign: Records of other buckets, other keys and other happenings, which are nothing to us.
    """

    places: tuple[ObjectPlace, ...]
    foreign: int


def parse(message: bytes, bucket: str) -> Heard:
    """What a message tells of `bucket`.

    Raises:
        GarbageEvent: Too long, no JSON, or none of the known forms.
    """
    if len(message) > EVENT_MAX_BYTES:
        raise GarbageEvent(f"the event is longer than {EVENT_MAX_BYTES} bytes")
    try:
        document = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise GarbageEvent("the event is no JSON") from error
    if not isinstance(document, dict):
        raise GarbageEvent("the event is no object")
    told = list(_told(document))
    places = [place for name, keys in told if name == bucket and (place := _place(keys)) is not None]
    return Heard(tuple(dict.fromkeys(places)), len(told) - len(places))


def _told(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Bucket and how its key may be read, of each record; both empty where nothing was put."""
    if document.get("Event") == "s3:TestEvent":
        return  # AWS asks whether somebody listens
    if isinstance(document.get("event_type"), str) and isinstance(document.get("key"), str):
        yield _of_weed(document["event_type"], document["key"])
        return
    records = document.get("Records")
    if not isinstance(records, list) or len(records) > RECORDS_MAX:
        raise GarbageEvent("the event has no list of records, or too long a one")
    for record in records:
        yield _of_record(record)


def _of_record(record: Any) -> tuple[str, tuple[str, ...]]:
    try:
        event, bucket, key = (
            record["eventName"],
            record["s3"]["bucket"]["name"],
            record["s3"]["object"]["key"],
        )
    except (KeyError, TypeError) as error:
        raise GarbageEvent("a record names no event, bucket or key") from error
    if not (isinstance(event, str) and isinstance(bucket, str) and isinstance(key, str)):
        raise GarbageEvent("a record's event, bucket or key is no text")
    return (bucket, (key, unquote_plus(key))) if _CREATED.fullmatch(event) else ("", ())


def _of_weed(event: str, path: str) -> tuple[str, tuple[str, ...]]:
    """The filer names whole paths, `/buckets/{bucket}/{key}`."""
    bucket, slash, key = path.removeprefix(_WEED_ROOT).partition("/")
    if event not in _WEED_PUT or not path.startswith(_WEED_ROOT) or not slash:
        return "", ()
    return bucket, (key,)


def _place(keys: tuple[str, ...]) -> ObjectPlace | None:
    return next((place for key in keys if (place := ObjectPlace.parse(key)) is not None), None)
