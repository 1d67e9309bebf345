FROM python:3.12-slim
RUN python -m pip install --no-compile --no-cache-dir flask==3.1.3
