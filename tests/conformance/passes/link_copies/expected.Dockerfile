FROM python:3.12-slim AS base
RUN mkdir /state
WORKDIR /app

FROM base AS builder
COPY requirements.txt .
RUN pip install --target=/packages -r requirements.txt

FROM base
RUN useradd app
ENV PYTHONPATH=/app/packages
COPY --link --from=builder /packages ./packages
# Belongs to the base, perhaps behind a link.
COPY settings.json /etc/app/settings.json
COPY --chown=1000:1000 settings.json /state/
COPY --link main.py .
USER 1000
CMD ["python", "main.py"]
