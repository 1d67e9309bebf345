FROM python:3.12-slim
RUN pip install --no-cache-dir numpy==2.4.6 \
    && find /usr/local -depth -type d \( -name test -o -name tests \) -exec rm -rf {} +
