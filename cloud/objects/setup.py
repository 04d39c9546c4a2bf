"""The bucket of the frames: made and completed by `topscoop cloud setup`, as often as it is run."""

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from cloud.config import S3Config
from cloud.objects.probe import PREFIX
from cloud.objects.retention_class import BACKSTOP_DAYS, CLASSES
from cloud.objects.s3_client import s3_client, translated
from cloud.operations.setup import SetUp

_UNKNOWN: Final = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405", "XNotImplemented"})
_REGION_WITHOUT_NAME: Final = "us-east-1"


def set_up_bucket(setup: SetUp) -> str:
    """The step of `topscoop cloud setup`."""
    done = prepare_bucket(setup.config.s3)
    return "; ".join(f"{name} {words}" for name, words in done.items())


def prepare_bucket(config: S3Config) -> Mapping[str, str]:
    """Make the bucket, switch versions on, close it to the public, set the backstop of retention.

    Returns:
        What was done or found, in words, by step.

    Raises:
        ObjectsAway: The store does not answer.
        StoreRefused: Credentials, or rights that they lack.
    """
    client, bucket = s3_client(config), config.bucket
    with translated(bucket):
        return {
            "bucket": _make(client, bucket, config.region),
            "versions": _keep_versions(client, bucket),
            "public access": _close(client, bucket),
            "lifecycle": _set_lifecycle(client, bucket, config),
        }


def prepare_plain_bucket(config: S3Config) -> Mapping[str, str]:
    """Make a bucket without lifecycle and versions, and close it to the public.

    On some stores only such a bucket honours `If-None-Match`, by which a publisher overwrites nothing.

    Returns:
        What was done or found, in words, by step.

    Raises:
        ObjectsAway: The store does not answer.
        StoreRefused: Credentials, or rights that they lack.
    """
    client, bucket = s3_client(config), config.bucket
    with translated(bucket):
        return {
            "bucket": _make(client, bucket, config.region),
            "public access": _close(client, bucket),
        }


def lifecycle_rules(config: S3Config) -> list[dict[str, Any]]:
    """One rule a class of retention: the same age for current and older versions, colder storage if named."""
    rules: list[dict[str, Any]] = []
    for name, days in CLASSES.items():
        age = days + BACKSTOP_DAYS
        rule: dict[str, Any] = {
            "ID": f"topscoop-{name}",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "frames/", "Tags": [{"Key": "retention", "Value": name}]}},
            "Expiration": {"Days": age},
            "NoncurrentVersionExpiration": {"NoncurrentDays": age},
        }
        if config.cold_storage_class and config.cold_after_days < days:
            colder = {"StorageClass": config.cold_storage_class}
            rule["Transitions"] = [{"Days": config.cold_after_days, **colder}]
            rule["NoncurrentVersionTransitions"] = [{"NoncurrentDays": config.cold_after_days, **colder}]
        rules.append(rule)
    rules.append(
        {
            "ID": "topscoop-leftovers",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    )
    return rules


def _make(client: Any, bucket: str, region: str) -> str:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    else:
        return "there"
    place = (
        {}
        if region == _REGION_WITHOUT_NAME
        else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    client.create_bucket(Bucket=bucket, **place)
    return "made"


def _keep_versions(client: Any, bucket: str) -> str:
    if client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        return "kept"
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return "kept from now on"


def _close(client: Any, bucket: str) -> str:
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    try:
        _block(client, bucket, dict.fromkeys(blocks, True))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        return "this store knows no block: keep the bucket private by its own means"
    if _takes_objects(client, bucket):
        return "blocked"
    # Ceph 16 refuses every PUT under BlockPublicAcls; ignoring public ACLs has the same effect.
    _block(client, bucket, {**dict.fromkeys(blocks, True), "BlockPublicAcls": False})
    return "blocked (public ACLs ignored)"


def _block(client: Any, bucket: str, blocked: Mapping[str, bool]) -> None:
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)


def _takes_objects(client: Any, bucket: str) -> bool:
    key = f"{PREFIX}set-up"
    try:
        version = client.put_object(Bucket=bucket, Key=key, Body=b"").get("VersionId")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    client.delete_object(Bucket=bucket, Key=key, **({} if version is None else {"VersionId": version}))
    return True


def _set_lifecycle(client: Any, bucket: str, config: S3Config) -> str:
    rules = lifecycle_rules(config)
    try:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        return "this store knows no lifecycle: the keeper's erasing is all there is"
    return f"{len(rules)} rules"
