# The image of the load test. It connects to the site from outside and needs nothing of the application.
# Build from the repository's root: docker build -f docker/load.Dockerfile .
ARG PYTHON_IMAGE=python:3.13-slim-trixie
FROM ${PYTHON_IMAGE}
COPY requirements/load.txt /tmp/load.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --no-deps --require-hashes --only-binary :all: --root-user-action ignore -r /tmp/load.txt
COPY loadtest /opt/load/loadtest
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin load && \
    install -d -o load -m 0755 /results
WORKDIR /opt/load
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOAD_OUT=/results
USER 10001:10001
ENTRYPOINT ["python", "-m", "loadtest"]
