"""`python -m benchmarks.releases`: every figure of releases, rollouts and console beside its goal."""

from benchmarks.program import Program
from benchmarks.release_rows import fleet_page, refresh, requests, slow_link, tick, update
from benchmarks.suite import Row

ROWS = (
    Row("update", "desired state set → model in use on the register, idle link", update.update),
    Row("slow-link", "an update over 1 Mbit/s with 2 % loss and a cut in the middle", slow_link.slow_link),
    Row("request-p99", "a till's requests during fetch, preflight and swap", requests.request_p99),
    Row("refresh", "a look at the chain's metadata with nothing new", refresh.refresh),
    Row("tick", "the rollout controller's look at 10,000 registers in 20 rollouts", tick.tick),
    Row("fleet-page", "the console's fleet page with 10,000 registers", fleet_page.fleet_page),
)
PROGRAM = Program(
    "releases",
    ROWS,
    packages=("tuf", "securesystemslib", "paho-mqtt", "cryptography", "SQLAlchemy", "psycopg", "jinja2"),
)

if __name__ == "__main__":
    PROGRAM.run()
