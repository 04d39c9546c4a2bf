"""The store of the demo, in a process of its own: `python -m simulator.demo.backend.emulated_s3`.

It keeps versions, in memory, and checks nothing: no signature, no expiry, no secret. Prints the address that
it listens on.
"""

import logging
import signal
import threading

HOST = "127.0.0.1"


def main() -> None:
    """Serve until SIGTERM."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    ended.wait()
    server.stop()


if __name__ == "__main__":
    main()
