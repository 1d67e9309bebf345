from fastapi import FastAPI, HTTPException

from parking.lots import LOTS, free

app = FastAPI(title="Parking")


@app.get("/lots")
def lots() -> list[str]:
    return sorted(LOTS)


@app.get("/lots/{name}")
def lot(name: str, hour: int = 12) -> dict[str, int | str]:
    if name not in LOTS:
        raise HTTPException(404, f"no lot is called {name}")
    return {"name": name, "free": free(name, hour)}
