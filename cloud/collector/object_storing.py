"""From a claim to the id of a version that the store has confirmed."""

from collections.abc import Mapping
from typing import Final

from cloud.collector.ports import Objects
from cloud.collector.values import Claim, Offer
from cloud.objects.retention_class import retention_class

META_REGISTER: Final = "register"
META_MESSAGE: Final = "message-id"
META_SHA256: Final = "sha256"
ADOPTION_MARGIN_MS: Final = 120_000
"""Younger than the sweep's age by this much, a version may be adopted; older ones are the sweeper's.

So far may the clocks of collectors differ."""


def metadata_of(offer: Offer) -> Mapping[str, str]:
    """What is put beside the message's bytes, so that a version without a row can be told."""
    return {
        META_REGISTER: offer.message.identity.register,
        META_MESSAGE: offer.message.header.message_id.hex(),
        META_SHA256: offer.message.sha256.hex(),
    }


async def store_version(
    objects: Objects, offer: Offer, claim: Claim, *, now_ms: int, sweep_after_ms: int
) -> str:
    """The version that holds this message: one that an earlier attempt left, or a new one.

    Raises:
        ObjectsAway: It may have been stored all the same.
    """
    metadata = metadata_of(offer)
    if claim.takeover:
        youngest_swept_ms = now_ms - sweep_after_ms + ADOPTION_MARGIN_MS
        for version in await objects.versions(claim.object_key):
            if version.key != claim.object_key or version.stored_at_ms <= youngest_swept_ms:
                continue
            found = await objects.metadata(version.key, version.version)
            if found is not None and metadata.items() <= dict(found).items():
                return version.version
    tags = {
        "tenant": offer.message.identity.tenant,
        "retention": retention_class(offer.tenant.retention_days),
    }
    return await objects.put(claim.object_key, offer.message.message, metadata, tags)
