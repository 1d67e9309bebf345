FROM python:3.12-slim
ENTRYPOINT ["tini", "--"]
CMD ["gunicorn", "--workers", "2", "main:app"]
