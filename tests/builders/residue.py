"""Looks for what must be nowhere: in every file below some folders, and in every version of every object."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
"""How a JPEG of a browser or of OpenCV begins; three bytes alone occur in any large file by chance."""
_PIECE_BYTES = 32
_DIFFERENT = 24


def pieces(picture: bytes) -> list[bytes]:
    """Some of a JPEG's compressed pixels: a copy is found though its head was rewritten.

    Flat parts are left out: they are a few bytes, again and again, that stand in other files too.
    """
    begin = picture.rindex(b"\xff\xda") + 14
    cut = [picture[at : at + _PIECE_BYTES] for at in range(begin, len(picture) - _PIECE_BYTES, _PIECE_BYTES)]
    telling = [one for one in cut if len(set(one)) >= _DIFFERENT]
    assert len(telling) >= 3, "the picture is too flat to be recognised"
    return [telling[len(telling) * part // 6] for part in (1, 3, 5)]


def in_files(folder: Path, needles: Mapping[str, bytes], without: Collection[str] = ()) -> Iterator[str]:
    """Each find as `FILE: NAME`; `without` names files and folders that are passed over."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not set(without).isdisjoint(path.parts):
            continue
        with contextlib.suppress(FileNotFoundError):  # servers run, and delete files of theirs
            data = path.read_bytes()
            yield from (f"{path}: {name}" for name, needle in needles.items() if needle in data)


def in_buckets(server: CephS3, needles: Mapping[str, bytes], *buckets: str) -> Iterator[str]:
    """Each find in a version of an object, its key and its metadata, as `BUCKET/KEY: NAME`."""
    client = server.client()
    for bucket in buckets:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                where = {"Bucket": bucket, "Key": one["Key"]}
                if one["VersionId"] != "null":
                    where["VersionId"] = one["VersionId"]
                found = client.get_object(**where)
                told = f"{one['Key']} {found['Metadata']} {found['ResponseMetadata']['HTTPHeaders']}".encode()
                data = told + found["Body"].read()
                place = f"{bucket}/{one['Key']}"
                yield from (f"{place}: {name}" for name, needle in needles.items() if needle in data)
    client.close()
