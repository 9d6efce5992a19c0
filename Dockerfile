# The command and the server, on the CPU:
#   docker build -t odia-ocr .
#   docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 odia-ocr
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" odia-ocr read scans/ -o text/
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/odia-ocr
ENV PATH=/opt/odia-ocr/bin:$PATH
COPY pyproject.toml constraints.txt README.md LICENSE THIRD_PARTY.md ./
COPY src ./src
RUN pip install --no-cache-dir -c constraints.txt '.[batch,serve]'

FROM python:3.12-slim-bookworm
COPY --from=build /opt/odia-ocr /opt/odia-ocr
# Nothing is written outside /data, /work and /tmp, so the root may be read-only.
ENV PATH=/opt/odia-ocr/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin odia-ocr \
    && install -d -o odia-ocr -g odia-ocr /data /work
USER 10001:10001
WORKDIR /work
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Only meaningful while it serves; start other commands with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["odia-ocr"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
