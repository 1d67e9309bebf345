FROM alpine  AS  Base
COPY --from=BASE $Src  /x
