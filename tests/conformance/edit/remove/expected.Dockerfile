FROM alpine
# one

