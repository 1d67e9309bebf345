FROM alpine
CMD [ "a" ,  "b  c" ]
SHELL ["/bin/sh", "-c"]
