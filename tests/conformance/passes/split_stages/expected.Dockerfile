FROM python:3.12-slim AS base
WORKDIR /app

COPY requirements.txt .

FROM base AS builder

RUN pip install --root=/install --no-cache-dir -r requirements.txt

FROM base AS service

COPY --from=builder /install/usr/local /usr/local

COPY main.py .
CMD ["gunicorn", "main:app"]
