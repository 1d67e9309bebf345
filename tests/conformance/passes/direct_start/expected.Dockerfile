FROM python:3.12-slim
RUN pip install uv
WORKDIR /srv
COPY . .
RUN uv sync --frozen
EXPOSE 8000
ENV PATH=/srv/.venv/bin:$PATH
# One worker: the desk holds its queue in memory.
CMD ["uvicorn", "main:app", "--port", "8000"]
