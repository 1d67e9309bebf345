FROM python:3.12-slim
COPY requirements.txt /tmp/
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libpq5 \
    && pip install --no-cache-dir -r /tmp/requirements.txt \
    && rm -rf /var/lib/apt/lists/* \
    && apt-get purge -y --auto-remove gcc libc6-dev
COPY main.py /app/
CMD ["python", "/app/main.py"]
