"""Signs upload URLs with botocore's own signature version 4, for the address that clients reach.

`generate_presigned_url` works out endpoint, parameters and handlers anew at each call, which costs more than
the signature itself. Here it is asked once, for the address; a test compares the results.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from cloud.config import CloudConfig
from cloud.intake.signed_urls import Announced, SignedUpload
from cloud.intake.values import ObjectPlace
from cloud.objects.ports import StoreRefused
from cloud.objects.s3_client import s3_client, translated

_SAMPLE: Final = "sample"
SECONDS_MAX: Final = 60


class S3UrlSigner:
    """One bucket at one public address.

    Args:
        bucket: Where uploads go.
        client: boto3's, made for the public address.

    Raises:
        StoreRefused: There are no credentials.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        with translated(bucket):
            sample = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": _SAMPLE})
        self._base = urlsplit(sample)._replace(query="").geturl().removesuffix(_SAMPLE)
        self._region = client.meta.region_name
        self._credentials = client._request_signer._credentials  # noqa: SLF001 - what it signs with; they renew themselves

    @classmethod
    def open(cls, config: CloudConfig) -> "S3UrlSigner":
        """The intake bucket at `s3.public_endpoint_url`."""
        return cls(config.intake.bucket, s3_client(config.s3, public=True))

    @property
    def base(self) -> str:
        """What every URL begins with; the key follows."""
        return str(self._base)

    def sign(self, place: ObjectPlace, announced: Announced, seconds: int) -> SignedUpload:
        """As the port says.

        Raises:
            ValueError: More than `SECONDS_MAX`.
            StoreRefused: The machine's role lost its credentials.
        """
        if not 0 < seconds <= SECONDS_MAX:
            raise ValueError(f"a signed URL lives up to {SECONDS_MAX} s, not {seconds}")
        headers = announced.headers()
        # A key needs no quoting: `ObjectPlace` lets in letters, digits, dashes and slashes alone.
        request = AWSRequest("PUT", self._base + place.key, headers=headers)
        with translated(place.key):
            credentials = self._credentials.get_frozen_credentials()
        if credentials.access_key is None:
            raise StoreRefused("no credentials to sign with", remedy="Set s3.access_key and s3.secret_key.")
        S3SigV4QueryAuth(credentials, "s3", self._region, expires=seconds).add_auth(request)
        return SignedUpload(str(request.url), headers)
