"""The broker of the demo, in a process of its own: `python -m simulator.demo.backend.embedded_broker FILE`.

It knows TLS and shared subscriptions, but asks nobody for a certificate and gives no rights: whoever
connects may publish and subscribe to everything. mosquitto, as the compose stack runs it, does both. A client
id with a slash ends the whole broker, a PUBACK out of order the connection, and it tells shares apart by
their names alone.
"""

import sys


def main(configuration: str) -> None:
    """Serve until SIGTERM."""
    from iotcore import Broker

    Broker(config_path=configuration).run_forever()


if __name__ == "__main__":
    main(sys.argv[1])
