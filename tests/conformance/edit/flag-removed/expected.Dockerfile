FROM alpine
RUN \
    # no network
    make
