"""A picture's bytes from a file that the operator names."""

from pathlib import Path

from inference.errors import PictureFileError


def read_picture(path: Path, max_bytes: int) -> bytes:
    """The file's bytes, but at most one more than `max_bytes`: enough to see that it is too long.

    Raises:
        PictureFileError: No regular file is there, or it cannot be read.
    """
    # A pipe or a device might never end.
    if path.exists() and not path.is_file():
        raise PictureFileError(f"{path} is no file", remedy="Name the pictures themselves, not a folder.")
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PictureFileError(
            f"cannot read {path}: {reason}", remedy="Check the path and permissions."
        ) from error
