"""`python -m benchmarks.collector`: every figure of a frame's way to the cloud beside its goal."""

from benchmarks.collector_rows import cpu, latency, offline_week, register, scaling
from benchmarks.program import Program
from benchmarks.suite import Row

ROWS = (
    Row("cpu", "collector's CPU per frame, against bare primitives and a plain collector", cpu.cpu),
    Row("scaling", "two collectors against one, with a slow store", scaling.scaling),
    Row("seal", "seal + sign + spool of a frame on the register", register.seal_and_spool),
    Row("backlog", "a till's requests while a backlog drains", register.backlog),
    Row("puback", "publish → PUBACK over TLS", latency.puback),
    Row("receipt", "publish → signed receipt over TLS, idle system", latency.receipt),
    Row("offline-week", "7 virtual days offline, then reconnect", offline_week.offline_week),
)
PROGRAM = Program(
    "collector",
    ROWS,
    packages=("paho-mqtt", "cbor2", "cryptography", "obstore", "boto3", "SQLAlchemy", "uvloop"),
    servers={"mosquitto": ("mosquitto", "-h"), "radosgw": ("radosgw", "--version")},
)

if __name__ == "__main__":
    PROGRAM.run()
