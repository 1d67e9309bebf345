"""Assertions for the tests of a project: what a change must, or must not, run again.

    >>> import stagewright
    >>> from stagewright.testing import assert_cached
    >>> file = stagewright.Dockerfile.parse("FROM python:3.12-slim\\nCOPY . /app\\nRUN pip install -r /app/requirements.txt\\n")
    >>> context = stagewright.Context.files({"main.py": "print(1)", "requirements.txt": "flask"})
    >>> analysis = file.analyze(context=context)
    >>> assert_cached(analysis.after(files=["main.py"]), "RUN pip install")
    Traceback (most recent call last):
        ...
    AssertionError: `RUN pip install -r /app/requirements.txt` runs again because `COPY . /app` (line 2) takes in `main.py`, which changed

A step is picked by its line (`"7"`), by its stage (`"builder"`), by either within the other (`"builder/7"`, `"builder/RUN make"`), or by
a part of its instruction (`"RUN pip install"`). Words that pick no step raise `StagewrightError` (`unknown-step`).
"""

from collections.abc import Callable

from stagewright._native import Prediction, StagewrightError

__all__ = ["assert_cached", "assert_rerun"]


def assert_cached(prediction: Prediction, step: str) -> None:
    """Asserts that every step that `step` picks is taken from the cache for certain. The message names the cause if it is not."""
    __tracebackhide__ = True
    _assert(prediction.expect_cached, step)


def assert_rerun(prediction: Prediction, step: str) -> None:
    """Asserts that every step that `step` picks runs again for certain."""
    __tracebackhide__ = True
    _assert(prediction.expect_rerun, step)


def _assert(expect: Callable[[str], None], step: str) -> None:
    __tracebackhide__ = True
    try:
        expect(step)
    except StagewrightError as error:
        if error.code == "unknown-step":
            raise
        message = str(error)
    else:
        return
    raise AssertionError(message)
