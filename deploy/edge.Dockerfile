# The agent of one register as a container. Build from the root of the repository:
#   docker build -f deploy/edge.Dockerfile -t topscoop-edge .
# The local API listens on loopback only, so the container shares the register's network, and its camera:
#   docker run -d --name topscoop-edge --network host --device /dev/video0 --group-add video \
#     --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --memory 400m --memory-swap 400m --ulimit core=0 --restart unless-stopped \
#     -v topscoop:/var/lib/topscoop -v /etc/topscoop:/etc/topscoop:ro topscoop-edge
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/build.txt requirements/edge.txt requirements/
RUN python -m venv /opt/topscoop \
 && /opt/topscoop/bin/pip install --no-cache-dir --require-hashes -r requirements/edge.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
# The packages' own code with the default models; nothing is resolved anew.
RUN /opt/build/bin/pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheels . \
 && /opt/topscoop/bin/pip install --no-cache-dir --no-deps /wheels/topscoop-*.whl \
 && /opt/topscoop/bin/python -m compileall -q /opt/topscoop/lib \
 && /opt/topscoop/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm
COPY --from=build /opt/topscoop /opt/topscoop
RUN useradd --system --uid 10001 --home-dir /var/lib/topscoop --create-home --groups video topscoop \
 && chmod 700 /var/lib/topscoop
USER topscoop
ENV PATH=/opt/topscoop/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=2 \
    TOPSCOOP_EDGE_DATA_DIR=/var/lib/topscoop
VOLUME /var/lib/topscoop
STOPSIGNAL SIGTERM
# The address is in the data folder, whatever port was configured.
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 CMD ["python", "-c", \
  "import json, urllib.request as u; u.urlopen(json.load(open('/var/lib/topscoop/api.json'))['url'] + '/healthz', timeout=2)"]
ENTRYPOINT ["topscoop", "edge"]
CMD ["run", "--config", "/etc/topscoop/edge.toml"]
