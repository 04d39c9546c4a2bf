"""The code on a slip, however it is typed."""

import hashlib

import pytest

from cloud.operations.erasing import code_digest
from cloud.privacy.errors import UnknownCode

CODE = "7K3M-Q9TX-2VBD-H6RA"


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", " "), " 7k3mq9tx2vbdh6ra"])
def test_careless_typing_finds_the_same_consent(typed: str) -> None:
    assert code_digest(typed) == hashlib.sha256(CODE.encode()).digest()


def test_what_no_code_holds_is_said() -> None:
    with pytest.raises(UnknownCode, match="stands in no code") as refused:
        code_digest("7K3M-Q9TX-2VBD-H6R?")
    assert refused.value.remedy
