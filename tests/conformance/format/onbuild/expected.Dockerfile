FROM alpine
ONBUILD run   echo   a
ONBUILD copy  --chown=1  a  b
