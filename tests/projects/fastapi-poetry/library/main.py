from fastapi import FastAPI, HTTPException

from .shelf import Shelf

app = FastAPI(title="Library")
shelf = Shelf.read()


@app.get("/books")
def books(author: str | None = None) -> list[str]:
    return shelf.titles(author)


@app.get("/books/{title}")
def book(title: str) -> dict:
    found = shelf.find(title)
    if found is None:
        raise HTTPException(404, "no such book")
    return found
