# escape=`
FROM windows
RUN dir c:\
RUN a `
  b
