FROM alpine
    # why
RUN z
    RUN a
    RUN b \
      c
