# syntax=docker/dockerfile:1
# who: me
ARG TAG=3.12
FROM --platform=$BUILDPLATFORM python:$TAG AS base

WORKDIR /app
ENV A="x y" B=$A
ENV C="\$A"
LABEL org.example=1
COPY --from=build --chown=app --link --exclude=*.md --parents a b /x/
COPY ["a b", "/y"]
ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.org/a /z
ADD --keep-git-dir https://github.com/a/b.git /w
RUN --mount=type=cache,target=/c --network=none --security=sandbox make
RUN ["a", "b \"c\""]
RUN <<EOF
set -e
echo EO
EOF
RUN a \
    && b
EXPOSE 8000 53/udp
VOLUME ["/data"]
USER app
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=2 CMD curl -f localhost
ONBUILD COPY . /app
ENTRYPOINT ["a"]
CMD b c
