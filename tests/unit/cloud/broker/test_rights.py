"""Rights, from the grammar of topics."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from cloud.broker.rights import (
    COLLECTOR,
    CONTROL_TOPIC,
    DEFAULT_ACCESS,
    Operation,
    Right,
    Rights,
    desired,
    register_rights,
)
from wire_protocol.topics import Down, Identity, Topic, Up

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
identities = st.builds(Identity, names, names)


@given(identities, identities)
def test_a_register_has_no_right_that_touches_another(one: Identity, other: Identity) -> None:
    """T7: rights are exact topics of its own; two registers share none."""
    rights = register_rights(one)
    expected = {
        *(Right(Operation.PUBLISH, str(Topic(one, kind))) for kind in Up),
        *(
            Right(operation, str(Topic(one, kind)))
            for operation, kind in product((Operation.SUBSCRIBE, Operation.RECEIVE), Down)
        ),
    }
    assert rights == expected
    assert not any(set(right.topic) & set("#+$") for right in rights)
    if one != other:
        assert not rights & register_rights(other)


def test_what_no_role_mentions_is_denied() -> None:
    """T7: receiving included."""
    assert [name for name, allowed in DEFAULT_ACCESS.items() if allowed] == ["unsubscribe"]


def test_each_kind_that_goes_down_has_one_service_that_publishes_it() -> None:
    """T7: the collector sends no blanks, the file service no orders, and only the admin changes rights."""
    publishing = {
        name: {right.topic for right in rights or () if right.operation is Operation.PUBLISH}
        for name, rights in desired([]).roles.items()
    }
    assert publishing == {
        "service:collector": {"topscoop/v1/+/+/down/receipt"},
        "service:keeper": {
            "topscoop/v1/+/+/down/blanks",
            "topscoop/v1/+/+/down/erase",
            "topscoop/v1/+/+/down/handover",
        },
        "service:rollout": {"topscoop/v1/+/+/down/desired"},
        "service:files": {"topscoop/v1/+/+/down/file-block"},
        "service:admin": {CONTROL_TOPIC},
    }


def test_what_was_added_by_hand_is_not_managed() -> None:
    """Clients with a slash, our services and our roles are."""
    rights = Rights(
        {"register:a/b": frozenset(), "service:old": None, "monitoring": frozenset()},
        {"a/b": frozenset(), COLLECTOR: None, "monitoring": frozenset()},
    )
    managed = rights.managed()
    assert set(managed.roles) == {"register:a/b", "service:old"}
    assert set(managed.clients) == {"a/b", COLLECTOR}
