FROM python:3.12-slim
WORKDIR /srv/app
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN useradd --shell /usr/sbin/nologin app
# The application.
COPY . .
RUN python -m compileall .
CMD ["python", "main.py"]
