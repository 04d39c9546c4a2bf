"""What `camera = "…"` in the configuration means, before anything is opened."""

import re
from dataclasses import dataclass
from enum import StrEnum

from daemon.errors import ConfigError

EXAMPLES = (
    "0, /dev/video0, /dev/v4l/by-id/usb-…, rtsp://host/path, http://host/video.mjpg, clip.mp4, photo.jpg, "
    "a folder of pictures, synthetic:, synthetic:/dev/shm/till.ring"
)
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_MASK = "***"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)\Z", re.DOTALL)
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@/?#:]*)(?P<password>:[^@/?#]*)?@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[^@/?#:\[\]\s]+)(?P<port>:[0-9]{1,5})?"
    r"(?P<path>/[^@?#]*)?(?:\?(?P<query>[^#@]*))?\Z",
    re.IGNORECASE,
)
"""Narrow on purpose: a password with a bare "/", "#" or "@" would end up in the host or the path."""
_SECRET_VALUE = re.compile(
    r"((?:^|&)[^=&]*(?:pass|pwd|token|secret|key|auth|sig|user|login)[^=&]*=)[^&]*", re.IGNORECASE
)
_LARGEST_INDEX = 255


class CameraKind(StrEnum):
    """Which adapter opens it."""

    DEVICE = "device"
    RTSP = "rtsp"
    MJPEG = "mjpeg"
    FILE = "file"  # a clip, a picture or a folder of pictures: told apart when it is opened
    RING = "ring"
    GOLDEN = "golden"


@dataclass(frozen=True, slots=True, repr=False)
class CameraSpec:
    """A camera to open; `str()` and `repr()` never show a password, `target` may hold one."""

    kind: CameraKind
    target: str
    """Device path, URL or file path; empty for golden frames."""

    def __str__(self) -> str:
        if self.kind in {CameraKind.RTSP, CameraKind.MJPEG}:
            return mask_url(self.target)
        if self.kind in {CameraKind.RING, CameraKind.GOLDEN}:
            return f"synthetic:{self.target}"
        return self.target

    def __repr__(self) -> str:
        return f"CameraSpec({self.kind.value!r}, {str(self)!r})"


@dataclass(frozen=True, slots=True)
class CameraTimes:
    """How long a camera may keep the agent waiting."""

    open_timeout_s: float = 5.0
    read_timeout_s: float = 5.0
    """Silence after which an open stream counts as lost and is opened again."""
    first_retry_s: float = 0.5
    longest_retry_s: float = 15.0


def parse_camera_spec(text: str) -> CameraSpec:
    """What the text of the configuration names; see `EXAMPLES`.

    Raises:
        ConfigError: Empty, an unknown scheme, a URL without host, or an impossible device index.
    """
    text = text.strip()
    if not text or "\0" in text:
        raise ConfigError("the camera is empty", remedy=f"Write one of: {EXAMPLES}.")
    if text.isascii() and text.isdigit():
        return _device_index(text)
    if text.startswith("/dev/") and not text.startswith("/dev/shm/"):  # noqa: S108 - a prefix to compare with, nothing is written
        return CameraSpec(CameraKind.DEVICE, text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return CameraSpec(CameraKind.FILE, text)
    return _with_scheme(scheme[1].lower(), scheme[2], text)


def mask_url(url: str) -> str:
    """The URL with its password, and every query value that looks like a secret, replaced."""
    parts = _URL.match(url)
    if parts is None:
        return f"{url.split(':', 1)[0]}://{_MASK}"
    password = f":{_MASK}" if parts["password"] else ""
    userinfo = f"{parts['user']}{password}@" if parts["user"] is not None else ""
    query = "?" + _SECRET_VALUE.sub(lambda pair: pair[1] + _MASK, parts["query"]) if parts["query"] else ""
    place = f"{parts['host']}{parts['port'] or ''}{parts['path'] or ''}"
    return f"{parts['scheme']}://{userinfo}{place}{query}"


def _device_index(text: str) -> CameraSpec:
    index = int(text)
    if index > _LARGEST_INDEX:
        raise ConfigError(
            f"there is no camera number {text}", remedy="Cameras count from 0; `ls /dev/video*` lists them."
        )
    return CameraSpec(CameraKind.DEVICE, f"/dev/video{index}")


def _with_scheme(scheme: str, rest: str, text: str) -> CameraSpec:
    match scheme:
        case "synthetic":
            return CameraSpec(CameraKind.RING if rest else CameraKind.GOLDEN, rest)
        case "rtsp" | "rtsps":
            return CameraSpec(CameraKind.RTSP, _checked_url(text))
        case "http" | "https":
            return CameraSpec(CameraKind.MJPEG, _checked_url(text))
        case "file":
            raise ConfigError("file: URLs are not read", remedy="Write the path alone, e.g. /srv/clip.mp4.")
        case _:
            raise ConfigError(f"a camera cannot start with {scheme}:", remedy=f"Write one of: {EXAMPLES}.")


def _checked_url(url: str) -> str:
    if _URL.match(url) is None:
        raise ConfigError(
            f"the camera's URL {mask_url(url)} is incomplete",
            remedy="Write scheme, host and path, e.g. rtsp://192.168.1.20:554/stream1; special characters in "
            "user name and password are percent-encoded.",
        )
    return url
