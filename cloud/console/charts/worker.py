"""The process that draws charts: orders on standard input, pictures on standard output.

vl-convert carries a JavaScript engine (150 to 200 MB with Altair) and holds Python's lock while it draws, so
the console neither imports it nor waits for it. Frames: four bytes of length, then an order; back: one byte
(1 drawn, 0 not), four bytes of length, then SVG or the reason. It ends with its input.
"""

import sys
from typing import BinaryIO

from cloud.console.charts.values import order_from_bytes


def serve(orders: BinaryIO, pictures: BinaryIO) -> None:
    """Draw whatever is ordered until the input ends."""
    from cloud.console.charts.plots import draw

    while len(head := orders.read(4)) == 4:
        data = orders.read(int.from_bytes(head, "big"))
        try:
            drawn, answer = True, draw(order_from_bytes(data)).encode()
        except Exception as error:  # noqa: BLE001 - told to the console, which logs it; the next one may do
            drawn, answer = False, f"{type(error).__name__}: {error!s:.500}".encode()
        pictures.write(bytes([drawn]) + len(answer).to_bytes(4, "big") + answer)
        pictures.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
