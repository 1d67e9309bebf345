FROM alpine
COPY a
RUN --network=none b
