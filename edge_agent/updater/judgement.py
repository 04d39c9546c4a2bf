"""Whether signed metadata lets this register take a release; pure."""

import re
from typing import Final

from edge_agent.updater.ports import Signed
from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import WITHDRAWN_MAX, Job, Verified, pack_listing
from inference.errors import ManifestError
from inference.manifest import Manifest
from wire_protocol.fleet_messages import UpdateReason
from wire_protocol.release_metadata import Listing

_VERSION: Final = re.compile(r"(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?")


def verified(signed: Signed) -> Verified:
    """As the agent is told."""
    withdrawn = tuple(sorted(signed.listing.policy.withdrawn)[-WITHDRAWN_MAX:])
    return Verified(signed.metadata, pack_listing(signed.digests), withdrawn)


def check_not_older(signed: Signed, job: Job) -> None:
    """Raise Refusal where metadata is older than what this register verified before.

    python-tuf's own protection lives in cached files, and is gone with them (threat T8); this one does not.
    Versions of targets are compared under one root only: the next may begin them anew, after a thief's.
    """
    minimum, floor, seen = signed.listing.policy.minimum_release, job.floor, signed.metadata
    if seen.root < job.root_version or (seen.root == job.root_version and seen.targets < job.targets_version):
        raise Refusal(
            UpdateReason.UNTRUSTED,
            f"the metadata is older than what this register knows: root {seen.root}, targets {seen.targets}, "
            f"they were {job.root_version} and {job.targets_version} before",
        )
    if minimum < floor:
        raise Refusal(
            UpdateReason.UNTRUSTED,
            f"the metadata is older than what this register knows: its minimum is release {minimum}, "
            f"it was {floor} before",
        )


def judge(signed: Signed, job: Job) -> Manifest:
    """The manifest of the release that the job wants.

    Raises:
        Refusal: Why this register does not take it.
    """
    release, digest = job.release, job.digest
    assert release is not None
    policy = signed.listing.policy
    if release in policy.withdrawn:
        raise Refusal(UpdateReason.WITHDRAWN, f"release {release} was withdrawn: {policy.withdrawn[release]}")
    floor = max(job.floor, policy.minimum_release)
    if release < floor:
        raise Refusal(
            UpdateReason.BELOW_FLOOR, f"release {release} is below the chain's minimum, release {floor}"
        )
    if release not in signed.listing.releases:
        raise Refusal(UpdateReason.NOT_LISTED, f"release {release} is not listed in the signed metadata")
    if signed.digests[release] != digest:
        raise Refusal(
            UpdateReason.NOT_LISTED,
            f"release {release} has the digest {signed.digests[release][:16]}…, the cloud wants {digest}",
            passing=False,
        )
    manifest = _manifest(signed.listing, release)
    if manifest.model.sha256 != digest:
        raise Refusal(
            UpdateReason.WRONG_CONTRACT, f"the manifest of release {release} is that of another network"
        )
    if manifest.tenant != job.tenant:
        raise Refusal(
            UpdateReason.OTHER_CHAIN,
            f"the model was made for the chain {manifest.tenant}, this register belongs to {job.tenant}",
        )
    if _numbers(job.agent_version) < _numbers(manifest.minimum_agent):
        raise Refusal(
            UpdateReason.AGENT_TOO_OLD,
            f"the model needs Topscoop {manifest.minimum_agent} or later, this is {job.agent_version}",
        )
    return manifest


def _manifest(listing: Listing, release: int) -> Manifest:
    try:
        return Manifest.from_json(listing.releases[release].manifest.encode())
    except ManifestError as error:
        raise Refusal(UpdateReason.WRONG_CONTRACT, f"release {release}: {error}") from error


def _numbers(version: str) -> tuple[int, int, int]:
    """A version to compare; one that has no numbers, a source tree's, is the newest."""
    found = _VERSION.match(version)
    if found is None:
        return (1 << 30, 0, 0)
    return (int(found[1]), int(found[2]), int(found[3] or 0))
