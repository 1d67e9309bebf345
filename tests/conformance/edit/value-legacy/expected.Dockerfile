FROM alpine
ENV A="d e"
