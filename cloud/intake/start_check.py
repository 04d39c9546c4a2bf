"""What intake asks before it trusts a bucket with anybody's picture; set-up asks the first part too."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cloud.config import CloudConfig
from cloud.objects.ports import StoreRefused
from cloud.objects.probe import Finding, probe_signatures
from cloud.objects.s3_client import s3_client, translated
from daemon.errors import ConfigError


def check_names(config: CloudConfig) -> None:
    """Refuse a bucket that holds something else: whatever has no ticket is deleted from it.

    Raises:
        ConfigError: Frames or releases lie there.
    """
    for name, other in (("s3.bucket", config.s3.bucket), ("releases.bucket", config.releases.bucket)):
        if config.intake.bucket == other:
            raise ConfigError(
                f"intake.bucket and {name} are the same: intake deletes what is no upload",
                remedy="Give uploads a bucket of their own.",
            )


def check_versions(client: Any, bucket: str) -> None:
    """Refuse a bucket that keeps, or once kept, versions: deleted pictures would stay in it.

    Raises:
        StoreRefused: It does.
        ObjectsAway: The store does not answer.
    """
    with translated(bucket):
        status = client.get_bucket_versioning(Bucket=bucket).get("Status")
    if status is not None:
        raise StoreRefused(
            f"{bucket} keeps versions ({status}): a picture would stay there after its deletion",
            remedy="Set intake.bucket to a new bucket, and run `topscoop cloud setup`.",
        )


def check_intake(config: CloudConfig, warn: Callable[[Finding], None]) -> None:
    """Refuse a bucket that does not protect pictures; `warn` hears of what development may bear.

    Raises:
        ConfigError: As `check_names`.
        ObjectsAway: The store does not answer.
        StoreRefused: It keeps versions, or takes what nobody signed or what has expired.
    """
    check_names(config)
    check_versions(s3_client(config.s3), config.intake.bucket)
    for finding in probe_signatures(replace(config.s3, bucket=config.intake.bucket)):
        # Writing over is no way in: the holder of the URL alone could do it, and the ticket is consumed once.
        if not config.development and finding.name != "written-over":
            raise StoreRefused(finding.words, remedy=finding.remedy)
        warn(finding)
