FROM debian:bookworm-slim
RUN apt-get update \
    # The client.
    && apt-get -q install --no-install-recommends -y \
        git \
    && rm -rf /var/lib/apt/lists/*
RUN apt-get update && apt-get install --no-install-recommends -y curl && rm -rf /var/lib/apt/lists/*
