import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.intake.events import EVENT_MAX_BYTES, RECORDS_MAX, GarbageEvent, Heard, parse
from cloud.intake.values import ObjectPlace

BUCKET = "topscoop-intake"
PLACE = ObjectPlace("acme", bytes(range(16)))
OTHER = ObjectPlace("zeta", bytes(range(16)))


def record(key: str, event: str = "ObjectCreated:Put", bucket: str = BUCKET) -> dict[str, object]:
    return {
        "eventName": event,
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 3, "sequencer": "00"}},
    }


def message(*records: object) -> bytes:
    return orjson.dumps({"Records": records})


@pytest.mark.parametrize(
    "event", ["ObjectCreated:Put", "s3:ObjectCreated:Post", "ObjectCreated:CompleteMultipartUpload"]
)
def test_a_put_is_heard(event: str) -> None:
    """With the prefix, as older servers write it, and without."""
    assert parse(message(record(PLACE.key, event)), BUCKET) == Heard((PLACE,), 0)


def test_keys_may_be_url_encoded() -> None:
    """AWS quotes what stands in keys, slashes too where a library does it; others quote nothing."""
    quoted = PLACE.key.replace("/", "%2F")
    assert parse(message(record(quoted)), BUCKET).places == (PLACE,)


def test_many_records_of_several_chains() -> None:
    """Each object once, in the order of the message."""
    heard = parse(message(record(PLACE.key), record(OTHER.key), record(PLACE.key)), BUCKET)
    assert heard.places == (PLACE, OTHER)


@pytest.mark.parametrize(
    "foreign",
    [
        record(PLACE.key, "ObjectRemoved:Delete"),
        record(PLACE.key, "s3:ObjectCreated"),
        record(PLACE.key, bucket="somebody-elses"),
        record("probe/0011"),
        record("intake/acme/../" + "0" * 32),
        record("intake/ACME/" + "0" * 32),
        record("intake/acme/" + "A" * 32),
        record("frames/acme/" + "0" * 32),
        record(""),
    ],
)
def test_what_is_no_upload_of_ours_is_passed_over(foreign: dict[str, object]) -> None:
    """Another bucket, key or happening is counted, and nothing else."""
    assert parse(message(foreign), BUCKET) == Heard((), 1)


def test_the_test_event_of_aws_has_no_records() -> None:
    """It is sent when the notification is set up, and is no garbage."""
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET, "RequestId": "x"}
    assert parse(orjson.dumps(test), BUCKET) == Heard((), 0)


@pytest.mark.parametrize(("event", "places"), [("create", (PLACE,)), ("update", (PLACE,)), ("delete", ())])
def test_seaweedfs_names_paths(event: str, places: tuple[ObjectPlace, ...]) -> None:
    """Its filer sends one message an entry, with the bucket in the path."""
    body = {"key": f"/buckets/{BUCKET}/{PLACE.key}", "event_type": event, "message": {"new_entry": {}}}
    assert parse(orjson.dumps(body), BUCKET).places == places
    elsewhere = {**body, "key": f"/buckets/other/{PLACE.key}"}
    assert parse(orjson.dumps(elsewhere), BUCKET).places == ()
    assert parse(orjson.dumps({**body, "key": "/etc/iam"}), BUCKET).places == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"Records": {}}',
        b'{"Records": [null]}',
        b'{"Records": [{"eventName": 1, "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}',
        b'{"Records": [{"eventName": "ObjectCreated:Put", "s3": []}]}',
        b'{"Type": "SubscriptionConfirmation", "SubscribeURL": "http://169.254.169.254/"}',
        b"[" * 100_000,
        b'{"x": "' + b"a" * EVENT_MAX_BYTES + b'"}',
        message(*[record(PLACE.key)] * (RECORDS_MAX + 1)),
    ],
    ids=range(14),
)
def test_garbage_is_refused(body: bytes) -> None:
    """Nothing of it is looked up, and an address in it is asked by nobody (T23)."""
    with pytest.raises(GarbageEvent):
        parse(body, BUCKET)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Records", "eventName", "s3", "bucket", "object", "name", "key", "event_type", "Event"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_is_read_or_refused(document: object) -> None:
    """No other error, however the message is built."""
    try:
        heard = parse(orjson.dumps(document), BUCKET)
    except GarbageEvent:
        return
    assert heard.places == ()
