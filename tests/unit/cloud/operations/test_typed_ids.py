import uuid

import pytest

from cloud.operations.typed_ids import typed_id
from wire_protocol.errors import OperatorError


@pytest.mark.parametrize("text", ["{}", " {} ", "{}\n"])
def test_digits_and_uuids_are_the_same_id(text: str) -> None:
    value = uuid.UUID(int=0x01A0C4506C007ABC8DEF0123456789AB)
    assert (
        typed_id(text.format(value), "a frame") == typed_id(text.format(value.hex), "a frame") == value.bytes
    )


@pytest.mark.parametrize("text", ["", "01a0", "not an id", "0" * 33])
def test_anything_else_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(OperatorError) as refused:
        typed_id(text, "a frame")
    assert refused.value.remedy
