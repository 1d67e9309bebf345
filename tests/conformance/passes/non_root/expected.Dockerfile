FROM python:3.12-slim
COPY main.py /app/
USER 10001:10001
EXPOSE 8000
CMD ["python", "/app/main.py"]
