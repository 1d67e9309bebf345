FROM alpine
RUN --mount=type=secret,id=a,required --mount=type=cache,dst=/d,sharing=locked make
