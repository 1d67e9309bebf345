FROM alpine
RUN apk add \
    # é
    wget git
