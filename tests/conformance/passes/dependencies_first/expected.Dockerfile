FROM python:3.12-slim

WORKDIR /app
RUN pip install --upgrade pip
RUN --mount=type=bind,source=pyproject.toml,target=/tmp/pyproject.toml \
    python -c 'import tomllib; print(*tomllib.load(open("/tmp/pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > /tmp/requirements.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt
COPY . .
RUN pip install --no-deps --no-cache-dir .

CMD ["lamp"]
