FROM python:3.12-slim

ARG PIP_INDEX_URL

ENV PYTHONUNBUFFERED=1

WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
ARG VERSION=dev
# What the application says of itself.
RUN echo "$VERSION" > version.txt
COPY main.py .
# Which commit this is.
ARG GIT_SHA
ARG BUILD_DATE=unknown
LABEL org.opencontainers.image.revision=$GIT_SHA \
      org.opencontainers.image.created=$BUILD_DATE
ENV SENTRY_RELEASE=${GIT_SHA}
EXPOSE 8000
CMD ["python", "main.py"]
