"""What a browser may do on the pages for phones: run our files, talk to us and to the store. Pure."""

from typing import Final
from urllib.parse import urlsplit

from cloud.config import CloudConfig

PERMISSIONS: Final = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"


def upload_origin(config: CloudConfig) -> str:
    """Scheme, host and port that signed URLs have, as a browser writes them."""
    s3, bucket = config.s3, config.intake.bucket
    address = s3.public_endpoint_url or s3.endpoint_url or f"https://s3.{s3.region}.amazonaws.com"
    parts = urlsplit(address)
    host = parts.netloc if s3.path_style else f"{bucket}.{parts.netloc}"
    return f"{parts.scheme}://{host}".lower()


def page_policy(config: CloudConfig) -> str:
    """The Content-Security-Policy of every page; nothing inline, no HTML made of text by any script."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {upload_origin(config)}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
