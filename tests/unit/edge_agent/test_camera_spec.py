import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import ConfigError
from edge_agent.camera_spec import CameraKind, CameraSpec, mask_url, parse_camera_spec


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("0", CameraKind.DEVICE, "/dev/video0"),
        (" 12 ", CameraKind.DEVICE, "/dev/video12"),
        ("/dev/video2", CameraKind.DEVICE, "/dev/video2"),
        ("/dev/v4l/by-id/usb-046d_C270-index0", CameraKind.DEVICE, "/dev/v4l/by-id/usb-046d_C270-index0"),
        ("rtsp://cam/stream1", CameraKind.RTSP, "rtsp://cam/stream1"),
        ("RTSPS://10.0.0.7:322/s", CameraKind.RTSP, "RTSPS://10.0.0.7:322/s"),
        ("http://cam:8080/video.mjpg?fps=15", CameraKind.MJPEG, "http://cam:8080/video.mjpg?fps=15"),
        ("https://[fe80::1]/v", CameraKind.MJPEG, "https://[fe80::1]/v"),
        ("clip.mp4", CameraKind.FILE, "clip.mp4"),
        ("/srv/pictures", CameraKind.FILE, "/srv/pictures"),
        ("synthetic:", CameraKind.GOLDEN, ""),
        ("synthetic:/dev/shm/till.ring", CameraKind.RING, "/dev/shm/till.ring"),
        ("/dev/shm/clip.avi", CameraKind.FILE, "/dev/shm/clip.avi"),
    ],
)
def test_every_kind_of_camera_is_known_by_its_text(text: str, kind: CameraKind, target: str) -> None:
    assert parse_camera_spec(text) == CameraSpec(kind, target)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a\0b", "empty"),
        ("999", "no camera number"),
        ("ftp://cam/x", "ftp:"),
        ("file:///srv/clip.mp4", "file: URLs"),
        ("rtsp://", "incomplete"),
        ("rtsp:/cam/x", "incomplete"),
        ("http://cam:99x/", "incomplete"),
        ("http://user:pa/ss@cam/", "incomplete"),
    ],
)
def test_what_is_no_camera_is_refused_with_a_way_out(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        parse_camera_spec(text)
    assert refused.value.remedy


def test_a_spec_never_shows_its_password() -> None:
    """Neither in `str`, which logs and health pages print, nor in `repr`, which tracebacks print."""
    spec = parse_camera_spec("rtsp://admin:s3cret@10.0.0.7:554/Streaming/101")
    assert str(spec) == "rtsp://admin:***@10.0.0.7:554/Streaming/101"
    assert "s3cret" not in repr(spec)
    assert "s3cret" in spec.target, "the adapter needs it"


def test_secrets_in_the_query_are_masked_and_the_rest_is_kept() -> None:
    masked = mask_url("http://cam/v?user=admin&pwd=s3cret&fps=15&authToken=abc")
    assert masked == "http://cam/v?user=***&pwd=***&fps=15&authToken=***"


def what_is_said(url: str) -> str:
    """Everything that may reach a log: of the refusal, or of the spec."""
    try:
        spec = parse_camera_spec(url)
    except ConfigError as error:
        return f"{error} {error.remedy}"
    return f"{spec} {spec!r}"


@given(
    st.sampled_from(["rtsp", "http", "https"]),
    st.text(max_size=20).map(lambda rest: f"Zq9{rest}")
    | st.from_regex(r"90817[/?#@:]\d\d\d", fullmatch=True),
)
def test_no_password_survives_masking_however_it_is_written(scheme: str, password: str) -> None:
    """Also one with characters that had to be percent-encoded and were not, in the message of the refusal."""
    url = f"{scheme}://user:{password}@camera/stream"
    start = password[:3]
    assert start not in mask_url(url)
    assert start not in what_is_said(url)
