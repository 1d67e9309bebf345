FROM alpine
COPY <<a <<b /x/
one
a
two
b
USER app
RUN c
