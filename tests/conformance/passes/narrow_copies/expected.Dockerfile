FROM python:3.12-slim
WORKDIR /srv/app
COPY requirements.txt .
RUN pip install -r requirements.txt
# The application.
COPY --chown=1000:1000 main.py ./
COPY --chown=1000:1000 shop/ ./shop/
USER 1000:1000
CMD ["python", "main.py"]
