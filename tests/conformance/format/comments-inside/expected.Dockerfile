FROM alpine
RUN apk add \
  # for health checks
  curl \
  git
