"""python-tuf's way to fetch, over our sources; its errors are python-tuf's."""

from collections.abc import Iterator
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from edge_agent.updater.ports import Source
from edge_agent.updater.transfer import FetchFailed, FileMissing
from wire_protocol.limits import FILE_MAX_BYTES

_NOT_FOUND: Final = 404


class SourceFetcher(FetcherInterface):
    """Fetches what begins with `base` from a source, by the path that follows.

    Args:
        source: Of the files.
        base: What addresses begin with; "" where the source takes whole addresses.
    """

    def __init__(self, source: Source, base: str = "") -> None:
        self._source = source
        self._base = base

    def _fetch(self, url: str) -> Iterator[bytes]:
        # The walk to the newest root ends with python-tuf's 404; it knows no other word for "there is none".
        try:
            path = url.removeprefix(self._base)
            yield from self._source.fetch(path, offset=0, total=None, longest=FILE_MAX_BYTES)
        except FileMissing as error:
            raise DownloadHTTPError(str(error), _NOT_FOUND) from error
        except FetchFailed as error:
            raise DownloadError(str(error)) from error
