FROM alpine
RUN apk add \
	curl \
        git
WORKDIR /app
