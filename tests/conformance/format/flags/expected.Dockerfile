FROM --platform=linux/amd64 alpine
COPY --from=a --chown="b  c" x   y
RUN --mount=type=cache,target=/c --network=none echo  a
