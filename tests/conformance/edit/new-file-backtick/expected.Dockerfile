# escape=`
FROM windows
RUN a `
    b
HEALTHCHECK NONE
