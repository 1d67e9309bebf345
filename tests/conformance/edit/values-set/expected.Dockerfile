ARG TAG=3.20
FROM alpine:$TAG
ENV A="two words" \
    # the path
    PATH=$HOME/bin:$PATH
LABEL a=b price="\$5 \"net\""
