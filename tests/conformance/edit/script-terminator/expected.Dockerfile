FROM alpine
RUN <<EOF_
cat <<EOF
x
EOF
EOF_
