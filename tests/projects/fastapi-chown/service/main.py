import psycopg2.extensions
from fastapi import FastAPI

app = FastAPI(title="Quotes")


@app.get("/health")
def health() -> dict:
    return {"status": "ok"}


@app.get("/libpq")
def libpq() -> dict:
    return {"major": psycopg2.extensions.libpq_version() // 10000}


@app.get("/literal/{word}")
def literal(word: str) -> dict:
    return {"literal": psycopg2.extensions.QuotedString(word).getquoted().decode()}
