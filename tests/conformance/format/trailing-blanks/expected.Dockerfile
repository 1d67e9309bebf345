FROM alpine
# note

RUN echo "a "
ENV A=b
