"""A queue of Amazon SQS, or of a server that speaks like it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from cloud.config import CloudConfig
from cloud.intake.event_queue import QueueAway, QueueMessage, QueueRefused

WAIT_S: Final = 3
"""Of a long poll; the service's end waits for it."""
_MESSAGES_MAX: Final = 10  # SQS gives no more
_READ_TIMEOUT_S: Final = 15
_WRONG: Final = {
    "AWS.SimpleQueueService.NonExistentQueue": "Make the queue, or correct intake.queue_url.",
    "QueueDoesNotExist": "Make the queue, or correct intake.queue_url.",
    "InvalidAddress": "Correct intake.queue_url.",
    "AccessDenied": "Give this access key sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes.",
    "AccessDeniedException": "Give this access key the rights that docs/intake.md lists.",
    "InvalidClientTokenId": "Correct s3.access_key.",
    "SignatureDoesNotMatch": "Correct s3.secret_key and s3.region.",
}


class SqsEvents:
    """One queue, as `EventQueue`.

    Args:
        url: Of the queue.
        client: boto3's.
    """

    def __init__(self, url: str, client: Any) -> None:
        self._url = url
        self._client = client

    @classmethod
    def open(cls, config: CloudConfig) -> "SqsEvents":
        """The queue of the configuration, with the credentials of S3; nothing is connected yet."""
        assert config.intake.queue_url is not None
        return cls(config.intake.queue_url, sqs_client(config))

    def receive(self) -> Sequence[QueueMessage]:
        """As the port says."""
        with _translated():
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=_MESSAGES_MAX, WaitTimeSeconds=WAIT_S
            )
        return [
            QueueMessage(one["ReceiptHandle"], one["Body"].encode()) for one in answer.get("Messages", ())
        ]

    def delete(self, handles: Sequence[str]) -> None:
        """As the port says."""
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
        if entries:
            with _translated():
                self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def arn(self) -> str:
        """The queue's name, as a bucket's notifications call it."""
        with _translated():
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])


def sqs_client(config: CloudConfig) -> Any:
    """boto3's client."""
    return boto3.client(
        "sqs",
        endpoint_url=config.intake.queue_endpoint_url,
        region_name=config.s3.region,
        aws_access_key_id=config.s3.access_key,
        aws_secret_access_key=config.s3.secret_key,
        config=Config(
            connect_timeout=config.s3.connect_timeout_s,
            read_timeout=_READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if code in _WRONG:
            raise QueueRefused(f"the queue refuses: {code}", remedy=_WRONG[code]) from error
        raise QueueAway(f"the queue answered {code}") from error
    except NoCredentialsError as error:
        raise QueueRefused(
            "no credentials for the queue",
            remedy="Set s3.access_key and s3.secret_key, or the machine's role.",
        ) from error
    except BotoCoreError as error:
        raise QueueAway(f"the queue does not answer: {error}") from error
