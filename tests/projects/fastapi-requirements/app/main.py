from fastapi import FastAPI, HTTPException

from app.convert import UNITS, convert
from app.models import Answer, Question

app = FastAPI(title="Kitchen units")


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/units")
def units():
    return sorted(UNITS)


@app.post("/convert")
def post_convert(question: Question) -> Answer:
    try:
        return Answer(amount=convert(question.amount, question.source, question.target), unit=question.target)
    except KeyError as error:
        raise HTTPException(400, f"no unit is called {error}")
