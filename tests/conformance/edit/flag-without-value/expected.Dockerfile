FROM alpine
COPY --exclude=a --link --exclude=*.md x y
