FROM python:3.12-slim
RUN apt-get update \
    # For the health check.
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/*
COPY . /app
WORKDIR /app
RUN python main.py --collect
CMD ["python", "main.py"]
