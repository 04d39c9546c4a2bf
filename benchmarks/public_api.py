"""`python -m benchmarks.public_api`: every figure of the public API and its recommender beside its goal."""

from benchmarks.program import Program
from benchmarks.public_api_rows import answer, noisy, phone_bytes, signed_url, throughput
from benchmarks.suite import Row

ROWS = (
    Row("answer", "upload finished → recommendation readable, idle system", answer.answer),
    Row("signed-url", "`POST /v1/uploads` at 200/s, one process on one core", signed_url.signed_url),
    Row("throughput", "recommendations over a filled queue, one process on one core", throughput.throughput),
    Row("noisy", "a quiet chain beside ten noisy ones", noisy.noisy),
    Row("phone-bytes", "what a phone sends for a photo of 12 megapixels", phone_bytes.phone_bytes),
)
PROGRAM = Program(
    "public_api",
    ROWS,
    packages=("fastapi", "starlette", "uvicorn", "SQLAlchemy", "psycopg", "obstore", "boto3", "onnxruntime"),
    servers={"PostgreSQL": ("postgres", "--version"), "Ceph": ("radosgw", "--version")},
)

if __name__ == "__main__":
    PROGRAM.run()
