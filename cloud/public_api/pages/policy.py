"""What a browser may do on the pages for phones: run our files, talk to us and to the store. Pure."""

from typing import Final

PERMISSIONS: Final = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"


def page_policy(upload_base: str) -> str:
    """The Content-Security-Policy of every page; nothing inline, no HTML made of text by any script.

    Args:
        upload_base: What every signed URL begins with, bucket and all: nothing can be sent elsewhere in the
            same store.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {upload_base}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
