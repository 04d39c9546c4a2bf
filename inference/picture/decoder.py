"""Pictures of strangers become pixels: checked here, decoded in a confined process (threat T11)."""

import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import PictureWorkerUnavailable
from inference.frame import CAMERA_HEIGHT
from inference.picture import worker
from inference.picture.check import check_picture
from inference.picture.limits import LOCAL, Limits, PictureHeader, refusal
from inference.picture.pipe_process import DeadlinePassed, PipeBroken, PipeProcess

_START_S = 30.0
"""Importing OpenCV takes a tenth of a second here, and much longer on a busy till with a cold disk."""
_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


class PictureDecoder:
    """A warm decoding process; enter it once, decode many.

    Threads may share one: they take turns. The process is started on entry, replaced after it had to be
    killed, and ends with the block.
    """

    def __init__(self, limits: Limits = LOCAL) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._worker: PipeProcess | None = None
        self._greeted = False

    def __enter__(self) -> Self:
        with self._lock:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stop()

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, while there is one."""
        return None if self._worker is None else self._worker.pid

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """The picture as uint8 [H, W, 3] BGR; large ones reduced, but never below twice a camera's frame.

        Raises:
            RefusedPicture: It breaks the limits or cannot be decoded within them.
            PictureWorkerUnavailable: No process to decode in can be started.
        """
        header = check_picture(data, self._limits)
        with self._lock:
            return self._exchange(header)

    def _exchange(self, header: PictureHeader) -> NDArray[np.uint8]:
        process = self._ready()
        deadline = monotonic() + self._limits.deadline_s
        try:
            process.write(worker.REQUEST.pack(self._flags(header), len(header.data)), deadline)
            process.write(header.data, deadline)
            status, height, width = self._read_answer(process, deadline)
            if status == worker.DECODED:
                return self._read_pixels(process, header, height, width, deadline)
        except DeadlinePassed as error:
            self._stop()
            message = f"the picture took longer than {self._limits.deadline_s:g} s to decode"
            raise refusal("too-slow", message) from error
        except PipeBroken as error:
            self._stop()
            raise refusal("decoder-died", "the decoder gave up on the picture") from error
        if status == worker.NO_MEMORY:
            raise refusal(
                "too-much-memory", f"decoding takes more than {self._limits.memory_bytes >> 20} MiB"
            )
        raise refusal("undecodable", f"the {header.format.upper()} is damaged inside")

    def _read_pixels(
        self, process: PipeProcess, header: PictureHeader, height: int, width: int, deadline: float
    ) -> NDArray[np.uint8]:
        # What a decoder answers after a hostile picture is not to be believed either.
        sides, most = sorted((height, width)), sorted((header.height, header.width))
        if not (0 < sides[0] <= most[0] and sides[1] <= most[1]):
            raise PipeBroken
        pixels = np.empty((height, width, 3), np.uint8)
        process.read_into(pixels.reshape(-1).data, deadline)
        return pixels

    def _flags(self, header: PictureHeader) -> int:
        """OpenCV's flags: colour, the fraction of the size, and whether EXIF may turn the picture."""
        factor = 1
        if self._limits.reduce:
            # Turned or not, the 4:3 part of the picture that `fit_frame` keeps is at least this high.
            height = min(header.height, header.width * 3 // 4, header.width, header.height * 3 // 4)
            while factor < max(_REDUCED) and height // (2 * factor) >= 2 * CAMERA_HEIGHT:
                factor *= 2
        return _REDUCED[factor] | (0 if self._limits.orientation else cv2.IMREAD_IGNORE_ORIENTATION)

    def _ready(self) -> PipeProcess:
        """The worker, once it has said that it is confined."""
        process = self._worker or self._start()
        if not self._greeted:
            try:
                status, _, _ = self._read_answer(process, monotonic() + _START_S)
            except (DeadlinePassed, PipeBroken) as error:
                self._stop()
                raise PictureWorkerUnavailable(
                    "the process that decodes pictures did not start",
                    remedy=f"Check that `{sys.executable} -c 'import cv2'` works and that memory is left.",
                ) from error
            self._greeted = status == worker.READY
        return process

    def _read_answer(self, process: PipeProcess, deadline: float) -> tuple[int, int, int]:
        answer = bytearray(worker.ANSWER.size)
        process.read_into(memoryview(answer), deadline)
        status, height, width = worker.ANSWER.unpack(answer)
        return status, height, width

    def _start(self) -> PipeProcess:
        command = [sys.executable, "-P", "-s", str(Path(worker.__file__))]
        limits = [str(self._limits.memory_bytes), str(self._limits.cpu_s)]
        # One thread each: libraries size their pools, and their address space, by the number of cores.
        environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        try:
            self._worker = PipeProcess([*command, *limits], environment)
        except OSError as error:
            raise PictureWorkerUnavailable(
                f"cannot start the process that decodes pictures: {error.strerror}",
                remedy="Check the limits on processes and memory of this user or service.",
            ) from error
        self._greeted = False
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
