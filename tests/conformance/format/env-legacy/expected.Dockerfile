FROM alpine
ENV KEY  a  b
LABEL a="b  c"    d=e
