"""The master key in AWS KMS, or what speaks like it; day keys travel there to be wrapped and unwrapped.

The encryption context {tenant, day} binds a wrapped key to its place and stands in CloudTrail's log of each
unwrapping. Whoever may use the key in KMS and reads this database opens frames: give that right to the
keeper alone.
"""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloud.privacy.errors import MasterKeyAway, MasterKeyError
from cloud.privacy.wrapping import KEY_BYTES

_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_OURS = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "InvalidClientTokenId",
        "KMSInvalidStateException",
        "NotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
"""What trying again does not mend."""


class KmsMasterKey:
    """One symmetric key of KMS.

    Args:
        key_id: Id, alias or ARN.
        endpoint_url: Of another server than Amazon's.
        region: Where the key is.
    """

    def __init__(self, key_id: str, endpoint_url: str | None, region: str) -> None:
        self._key_id = key_id
        self._client: Any = boto3.client("kms", endpoint_url=endpoint_url, region_name=region, config=_CONFIG)

    def wrap(self, key: bytes, tenant: str, day: str) -> bytes:
        """As the port says."""
        answer = self._ask("encrypt", Plaintext=key, EncryptionContext={"tenant": tenant, "day": day})
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, tenant: str, day: str) -> bytes:
        """As the port says."""
        context = {"tenant": tenant, "day": day}
        key = bytes(self._ask("decrypt", CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"])
        if len(key) != KEY_BYTES:
            raise MasterKeyError(f"KMS unwrapped {len(key)} bytes for {tenant} on {day}")
        return key

    def _ask(self, what: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, what)(KeyId=self._key_id, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in _OURS:
                raise MasterKeyAway(f"KMS cannot {what}: {error}") from error
            raise MasterKeyError(
                f"KMS refuses to {what}: {error}",
                remedy="Look at master_key.kms_key_id, the key's state, and the role's right to use it.",
            ) from error
        except BotoCoreError as error:
            raise MasterKeyAway(
                f"KMS does not answer: {error}", remedy="It is asked again; look at the network."
            ) from error
