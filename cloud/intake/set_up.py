"""The intake bucket: made and completed by `topscoop cloud setup`, as often as it is run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cloud.config import CloudConfig
from cloud.intake.start_check import check_names, check_versions
from cloud.objects.s3_client import s3_client, translated
from cloud.objects.setup import prepare_plain_bucket
from cloud.operations.setup import SetUp
from daemon.errors import ConfigError

PUT_HEADERS: Final = ("content-type", "content-md5", "if-none-match", "x-amz-checksum-sha256")
"""What a browser's upload may send; it fills in the length itself."""
_UNKNOWN: Final = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405", "XNotImplemented"})
_PREFLIGHT_S: Final = 3600
_CREATED: Final = ["s3:ObjectCreated:*"]
_NAME: Final = "topscoop-intake"


def set_up_intake(setup: SetUp) -> str:
    """The step of `topscoop cloud setup`."""
    return "; ".join(f"{name} {words}" for name, words in prepare_intake(setup.config).items())


def prepare_intake(config: CloudConfig) -> Mapping[str, str]:
    """Make the bucket, close it to the public, let browsers upload, let nothing stay, and have it tell.

    Returns:
        What was done or found, in words, by step.

    Raises:
        ConfigError: Another bucket has this name, or what is to be told cannot be.
        ObjectsAway: The store does not answer.
        StoreRefused: The bucket keeps versions; credentials, or rights that they lack.
        QueueAway: The queue does not answer.
        QueueRefused: There is no such queue, or it is another's.
    """
    check_names(config)
    bucket, client = config.intake.bucket, s3_client(config.s3)
    done = dict(prepare_plain_bucket(replace(config.s3, bucket=bucket)))
    check_versions(client, bucket)
    with translated(bucket):
        done["CORS"] = _known(
            client.put_bucket_cors,
            {"Bucket": bucket, "CORSConfiguration": {"CORSRules": cors_rules(config.public_api.public_url)}},
            said="PUT from the API's pages",
            unknown="this store knows none: let the gateway answer for it",
        )
        done["lifecycle"] = _known(
            client.put_bucket_lifecycle_configuration,
            {"Bucket": bucket, "LifecycleConfiguration": {"Rules": lifecycle_rules()}},
            said="1 day, as a backstop",
            unknown="this store knows none: intake's sweeping is all there is",
        )
    done["events"] = _have_it_tell(client, config)
    return done


def cors_rules(public_url: str) -> list[dict[str, Any]]:
    """Pages of every chain's own host may PUT with the signed headers, and read nothing.

    Args:
        public_url: Of the API, with `{tenant}`.
    """
    return [
        {
            "ID": _NAME,
            "AllowedOrigins": [public_url.replace("{tenant}", "*")],
            "AllowedMethods": ["PUT"],
            "AllowedHeaders": list(PUT_HEADERS),
            "MaxAgeSeconds": _PREFLIGHT_S,
        }
    ]


def lifecycle_rules() -> list[dict[str, Any]]:
    """Should nobody sweep, the store itself deletes after a day, which is the least that it can be told."""
    return [
        {
            "ID": _NAME,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]


def _known(call: Any, arguments: Mapping[str, Any], *, said: str, unknown: str) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        return unknown
    return said


def _have_it_tell(client: Any, config: CloudConfig) -> str:
    if config.intake.queue_url is not None:
        from cloud.intake.adapters.sqs_events import SqsEvents

        told = {
            "QueueConfigurations": [
                {"Id": _NAME, "QueueArn": SqsEvents.open(config).arn(), "Events": _CREATED}
            ]
        }
        words = "to the queue"
    elif config.intake.webhook_url is not None:
        told = {"TopicConfigurations": [{"Id": _NAME, "TopicArn": _topic(config), "Events": _CREATED}]}
        words = "to the webhook"
    else:
        return "not configured: clients tell, and intake looks"
    with translated(config.intake.bucket):
        client.put_bucket_notification_configuration(
            Bucket=config.intake.bucket, NotificationConfiguration=told
        )
    return words


def _topic(config: CloudConfig) -> str:
    """The topic that pushes to the webhook, made at the S3 server itself, as Ceph has it."""
    token = config.intake.webhook_token
    if token is None or config.s3.endpoint_url is None:
        raise ConfigError(
            "intake.webhook_url needs intake.webhook_token, and an S3 server of one's own",
            remedy="Set the token; Amazon's S3 tells a queue: set intake.queue_url.",
        )
    # Ceph's gateway speaks of topics as SNS does.
    topics = boto3.client(
        "sns",
        endpoint_url=config.s3.endpoint_url,
        region_name=config.s3.region,
        aws_access_key_id=config.s3.access_key,
        aws_secret_access_key=config.s3.secret_key,
        verify=str(config.s3.ca_file) if config.s3.ca_file else None,
        config=Config(connect_timeout=config.s3.connect_timeout_s, read_timeout=config.s3.request_timeout_s),
    )
    endpoint = f"{config.intake.webhook_url}/{quote(token, safe='')}"
    with translated(config.intake.bucket):
        made = topics.create_topic(Name=_NAME, Attributes={"push-endpoint": endpoint})
    return str(made["TopicArn"])
