FROM alpine
COPY a    b   /x/
COPY cc   dd  /y/
