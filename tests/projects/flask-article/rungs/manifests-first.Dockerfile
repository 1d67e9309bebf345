FROM python:3.7-alpine

COPY requirements.txt /requirements.txt
RUN pip install -r /requirements.txt

COPY . /app
WORKDIR /app

EXPOSE 8000
CMD ["gunicorn", "-w 4", "-b", ":8000", "main:app"]
