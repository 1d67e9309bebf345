FROM python:3.12-slim
WORKDIR /app
# what the service needs
RUN --mount=type=bind,source=requirements.txt,target=requirements.txt \
    pip install -r requirements.txt
COPY . /app
CMD ["gunicorn", "main:app"]
