FROM python:3.12-slim AS build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils \
    && find /opt/venv/lib/python3.12/site-packages -name '*.so*' -type f ! -path '*.libs/*' -exec strip --strip-unneeded {} \; \
    && rm -rf /var/lib/apt/lists/*
COPY main.py /app/

FROM python:3.12-slim
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
CMD ["/opt/venv/bin/python", "/app/main.py"]
