# syntax=docker/dockerfile:1
FROM python:3.12 AS base

# what is needed
WORKDIR /app
RUN pip install flask # no comment
CMD ["flask", "run"]
