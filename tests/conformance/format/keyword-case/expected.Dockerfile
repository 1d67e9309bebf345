FROM alpine AS Base
RUN echo run
ONBUILD copy a b
CMD ["run"]
