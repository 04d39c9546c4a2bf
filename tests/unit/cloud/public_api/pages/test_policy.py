"""What browsers may do on our pages."""

from __future__ import annotations

from cloud.public_api.pages.policy import page_policy


def test_nothing_inline_and_nobody_else() -> None:
    """T24: no inline script or style, no other host but the store, no frame, no HTML made by scripts."""
    policy = page_policy("https://s3.example.com/intake/")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'self' https://s3.example.com/intake/;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
