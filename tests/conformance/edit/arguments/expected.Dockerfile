FROM alpine
COPY --link . /app/
RUN cat <<EOF > /b
$x
EOF
