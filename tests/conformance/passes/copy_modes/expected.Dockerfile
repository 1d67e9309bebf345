FROM debian:bookworm-slim AS tools
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

FROM debian:bookworm-slim
WORKDIR /srv/app
WORKDIR /srv/app/data
RUN groupadd app && \
    useradd -g app app
# The application.
COPY --chown=app:app --from=tools /app /srv/app
COPY --chown=app:app start.sh data.bin ./
RUN chown app:app /srv/app /srv/app/data
USER app
CMD ["./start.sh"]
