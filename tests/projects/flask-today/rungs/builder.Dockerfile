FROM python:3.12-slim AS base

FROM base AS builder

COPY requirements.txt /requirements.txt
RUN pip install --prefix=/install -r /requirements.txt

FROM base

COPY --from=builder /install /usr/local
COPY main.py /app/
COPY quotes /app/quotes
WORKDIR /app

EXPOSE 8000
CMD ["gunicorn", "-w 4", "-b", ":8000", "main:app"]
