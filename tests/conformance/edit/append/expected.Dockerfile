FROM alpine
ENV A=1
# end
USER app
