from pydantic import BaseModel, Field


class Question(BaseModel):
    amount: float = Field(gt=0)
    source: str
    target: str


class Answer(BaseModel):
    amount: float
    unit: str
