# The services of docker-compose.yml: EXTRA=cloud for those behind the registers, EXTRA=sim for simulated
# registers. Build from the root of the repository:
#   docker build -f deploy/stack.Dockerfile --build-arg EXTRA=cloud -t topscoop-cloud .
FROM python:3.11-slim-bookworm AS build
ARG EXTRA=cloud
WORKDIR /src
COPY requirements/build.txt requirements/${EXTRA}.txt requirements/
RUN python -m venv /opt/topscoop \
 && /opt/topscoop/bin/pip install --no-cache-dir --require-hashes -r requirements/${EXTRA}.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
# The packages' own code with the default models; nothing is resolved anew.
RUN /opt/build/bin/pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheels . \
 && /opt/topscoop/bin/pip install --no-cache-dir --no-deps /wheels/topscoop-*.whl \
 && /opt/topscoop/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm
COPY --from=build /opt/topscoop /opt/topscoop
COPY deploy/compose/set-up /usr/local/bin/topscoop-set-up
# One user in all services and in the broker, so that shared volumes need no change of owner.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/topscoop --create-home topscoop \
 && mkdir -p /var/lib/topscoop-cloud/broker /var/lib/topscoop-keys /var/lib/topscoop-codes \
      /var/lib/topscoop-release-keys /var/lib/topscoop-online-keys /var/lib/topscoop-gateway \
 && chown -R topscoop:topscoop /var/lib/topscoop-* \
 && chmod 700 /var/lib/topscoop /var/lib/topscoop-cloud /var/lib/topscoop-cloud/broker /var/lib/topscoop-keys \
      /var/lib/topscoop-codes /var/lib/topscoop-release-keys /var/lib/topscoop-online-keys /var/lib/topscoop-gateway
USER topscoop
ENV PATH=/opt/topscoop/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=2
WORKDIR /var/lib/topscoop
STOPSIGNAL SIGTERM
ENTRYPOINT ["topscoop"]
