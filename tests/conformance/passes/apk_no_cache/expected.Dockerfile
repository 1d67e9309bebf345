FROM alpine:3.20
# Security fixes of the base.
RUN apk upgrade --no-cache
RUN apk add --no-cache --update --virtual .tools make \
    && apk add --no-cache ca-certificates curl \
    && apk del .tools
RUN --mount=type=cache,target=/var/cache/apk apk add git
RUN apk add --no-cache tzdata
COPY main.py /app/
