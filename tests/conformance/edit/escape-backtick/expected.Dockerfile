# escape=`
FROM windows
RUN a `
    && b
RUN a
ENV A="say `"x`"" B="c:\d"
