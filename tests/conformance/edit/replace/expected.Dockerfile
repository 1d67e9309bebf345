FROM alpine
# note
  RUN ["a", "b"]
CMD a
