FROM debian:bookworm-slim
RUN groupadd app && useradd -g app app
WORKDIR /app
COPY --chmod=755 start.sh /usr/local/bin/
COPY main.py ./
COPY data.bin other.bin ./
RUN chmod 600 data.bin
COPY --chown=app:app secret.txt /app/secret.txt
COPY late.txt .
RUN chown app late.txt
ENTRYPOINT ["start.sh"]
