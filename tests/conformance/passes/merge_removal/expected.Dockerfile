FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/*
COPY main.py /app/
RUN curl -sSLO https://example.com/big.tar.gz
# The build looks at it once more.
RUN ls -l big.tar.gz
RUN rm big.tar.gz
