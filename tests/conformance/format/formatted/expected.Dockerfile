FROM alpine AS base

# note
RUN apk add \
      curl

CMD ["sh"]
