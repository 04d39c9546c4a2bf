import pytest

from wire_protocol import topics
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Topic, Up

_IDENTITY = Identity("gelateria-nord", "till-07")


@pytest.mark.parametrize("kind", [*Up, *Down])
def test_a_topic_is_spelled_and_read(kind: topics.Kind) -> None:
    """Text and value stand for each other."""
    topic = Topic(_IDENTITY, kind)
    direction = "up" if kind in {*Up} else "down"
    assert str(topic) == f"topscoop/v1/gelateria-nord/till-07/{direction}/{kind}"
    assert Topic.parse(str(topic)) == topic


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "topscoop/v1/a/b/up",
        "topscoop/v1/a/b/up/frame/",
        "/topscoop/v1/a/b/up/frame",
        "topscoop/v2/a/b/up/frame",
        "Topscoop/v1/a/b/up/frame",
        "topscoop/v1/a/b/down/frame",
        "topscoop/v1/a/b/up/receipt",
        "topscoop/v1/a/b/up/unknown",
        "topscoop/v1/a/b/sideways/frame",
        "topscoop/v1/a//up/frame",
        "topscoop/v1/A/b/up/frame",
        "topscoop/v1/+/b/up/frame",
        "topscoop/v1/a/#/up/frame",
        "topscoop/v1/a/b/up/frame\n",
        "topscoop/v1/a/b\n/up/frame",
        "topscoop/v1/a/b\0/up/frame",
        "topscoop/v1/-a/b/up/frame",
        "topscoop/v1/a/b-/up/frame",
        "topscoop/v1/\u0661/b/up/frame",
        "$SYS/broker/uptime",
        "$share/frames/topscoop/v1/a/b/up/frame",
        f"topscoop/v1/{'a' * 33}/b/up/frame",
        f"topscoop/v1/{'a' * 32}/{'b' * 32}/up/frame",
    ],
)
def test_any_other_text_is_no_topic(text: str) -> None:
    """T2: nothing near a topic is taken for one."""
    with pytest.raises(RefusedMessage) as refused:
        Topic.parse(text)
    assert refused.value.reason is Reason.BAD_TOPIC


def test_an_identity_is_a_common_name() -> None:
    """What the certificate says, at most 64 characters."""
    assert _IDENTITY.common_name == str(_IDENTITY) == "gelateria-nord/till-07"
    assert Identity.parse("gelateria-nord/till-07") == _IDENTITY
    assert len(Identity("a" * 32, "b" * 31).common_name) == 64
    for text in ("", "a", "a/", "/b", "a/b/c", "A/b", f"{'a' * 32}/{'b' * 32}"):
        with pytest.raises(ValueError):
            Identity.parse(text)


def test_rights_name_one_register_only() -> None:
    """No wildcard, no other's topic, no direction that is not a register's."""
    publish, subscribe = topics.register_may_publish(_IDENTITY), topics.register_may_subscribe(_IDENTITY)
    assert {Topic.parse(text) for text in publish} == {Topic(_IDENTITY, kind) for kind in Up}
    assert {Topic.parse(text) for text in subscribe} == {Topic(_IDENTITY, kind) for kind in Down}
    assert not set("+#$") & set("".join((*publish, *subscribe)))


def test_every_kind_has_somebody_who_reads_it() -> None:
    """The services together subscribe to all that registers send; a share has one service's name."""
    filters = (
        topics.FRAMES_SHARE,
        *topics.EVENTS_SHARES,
        *topics.KEEPER_SHARES,
        *topics.FILES_SHARES,
        topics.STATUS_FILTER,
    )
    kinds = [text.rsplit("/", 1)[1] for text in filters]
    assert sorted(kinds) == sorted(Up)
    filters += topics.ROLLOUT_SHARES  # a report has two readers: who counts blanks, and who brings releases
    assert all(text.split("/")[-6:-3] == ["topscoop", "v1", "+"] for text in filters)
    shares = [text.split("/")[1] for text in filters if text.startswith("$share/")]
    assert len(shares) == len(set(shares)) == len(filters) - 1


def test_what_is_receipted_goes_up() -> None:
    """The spool waits for an answer to exactly these."""
    assert {*Up} - {Up.REPORT, Up.STATUS, Up.FILE_REQUEST, Up.NOTICE} == topics.RECEIPTED
