"""Looks for what must be nowhere: in every file below some folders, and in every version of every object."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
"""How every JPEG begins that a browser or OpenCV wrote; three bytes alone occur in any large file by chance."""
_PIECE_BYTES = 32


def pieces(picture: bytes) -> list[bytes]:
    """Some of a JPEG's compressed pixels: a copy is found though its head was rewritten."""
    begin = picture.rindex(b"\xff\xda") + 14
    length = len(picture) - begin
    return [picture[begin + length * part // 8 :][:_PIECE_BYTES] for part in (1, 3, 5)]


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
