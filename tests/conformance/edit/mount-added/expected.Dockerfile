FROM alpine
RUN --network=none --mount=type=cache,target=/var/cache/apk,sharing=locked --mount="type=bind,\"source=a,b\",target=/x,readonly" apk add git
