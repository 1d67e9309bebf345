FROM python:3.7-alpine AS base

FROM base AS builder

COPY requirements.txt /requirements.txt
RUN pip install --no-compile --prefix=/install -r /requirements.txt \
 && find /install -depth -type d \( -name test -o -name tests -o -name examples \) -exec rm -rf {} + \
 && find /install -name __pycache__ -prune -exec rm -rf {} +

FROM base

ENV PYTHONDONTWRITEBYTECODE=1
COPY --from=builder /install /usr/local
COPY main.py /app/
COPY quotes /app/quotes
WORKDIR /app

EXPOSE 8000
CMD ["gunicorn", "-w 4", "-b", ":8000", "main:app"]
