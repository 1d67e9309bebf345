FROM alpine
ENV A=1
ARG Y=1
