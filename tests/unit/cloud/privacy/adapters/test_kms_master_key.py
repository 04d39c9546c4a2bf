"""The master key in KMS, against an imitation: plumbing only, it proves nothing about security."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cloud.privacy.adapters.kms_master_key import KmsMasterKey
from cloud.privacy.errors import MasterKeyAway, MasterKeyError

KEY = bytes(range(32))


@pytest.fixture
def key_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("kms", region_name="us-east-1").create_key()["KeyMetadata"]["KeyId"]


def test_what_it_wraps_it_unwraps_in_the_same_place_alone(key_id: str) -> None:
    """The encryption context carries tenant and day; the imitation checks it as KMS does."""
    master = KmsMasterKey(key_id, None, "us-east-1")
    wrapped = master.wrap(KEY, "nord", "2026-11-22")
    assert master.unwrap(wrapped, "nord", "2026-11-22") == KEY
    for tenant, day in (("sued", "2026-11-22"), ("nord", "2026-11-23")):
        with pytest.raises(MasterKeyError):
            master.unwrap(wrapped, tenant, day)


def test_a_key_that_is_not_there_is_the_operators_matter(key_id: str) -> None:
    with pytest.raises(MasterKeyError) as refused:
        KmsMasterKey(f"{key_id[:-4]}0000", None, "us-east-1").wrap(KEY, "nord", "2026-11-22")
    assert "kms_key_id" in refused.value.remedy


def test_a_service_that_does_not_answer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with pytest.raises(MasterKeyAway):
        KmsMasterKey("any", "http://127.0.0.1:9", "us-east-1").wrap(KEY, "nord", "2026-11-22")


def test_a_wrapped_key_of_another_length_is_refused(key_id: str) -> None:
    context = {"tenant": "nord", "day": "2026-11-22"}
    client = boto3.client("kms", region_name="us-east-1")
    blob = client.encrypt(KeyId=key_id, Plaintext=b"short", EncryptionContext=context)["CiphertextBlob"]
    with pytest.raises(MasterKeyError, match="5 bytes"):
        KmsMasterKey(key_id, None, "us-east-1").unwrap(blob, "nord", "2026-11-22")
