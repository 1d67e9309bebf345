"""Know what a container image will weigh and what the next build will redo, before building it.

    >>> import stagewright
    >>> file = stagewright.Dockerfile.parse("FROM python:3.12-slim\\nCOPY main.py /app/\\n")
    >>> context = stagewright.Context.files({"main.py": "print(1)\\n"})
    >>> analysis = file.analyze(context=context)
    >>> analysis.layers[1].size.expected
    9
    >>> [step.verdict for step in analysis.after(files=["main.py"]).steps]
    ['cached', 'rerun']

A wrong Dockerfile is a value (`Dockerfile.errors`, `Analysis.findings`); a wrong call raises `StagewrightError`, whose `code` is stable.
Sizes are in bytes, lines and columns count from 1.
"""

from stagewright import new
from stagewright._native import (
    Analysis,
    Base,
    Basis,
    BuildFiles,
    Command,
    Content,
    Context,
    Directive,
    Dockerfile,
    Duplicate,
    Finding,
    Flag,
    Generated,
    Heredoc,
    Image,
    ImageFile,
    ImageLayer,
    ImageReference,
    Instruction,
    InstructionView,
    KindBytes,
    Layer,
    Measure,
    Mount,
    Pair,
    Plan,
    Prediction,
    Rung,
    Size,
    Span,
    StagewrightError,
    Step,
    SyntaxError,
    Text,
    Waste,
    Word,
    __version__,
    generate,
    measure,
)

__all__ = [
    "Analysis",
    "Base",
    "Basis",
    "BuildFiles",
    "Command",
    "Content",
    "Context",
    "Directive",
    "Dockerfile",
    "Duplicate",
    "Finding",
    "Flag",
    "Generated",
    "Heredoc",
    "Image",
    "ImageFile",
    "ImageLayer",
    "ImageReference",
    "Instruction",
    "InstructionView",
    "KindBytes",
    "Layer",
    "Measure",
    "Mount",
    "Pair",
    "Plan",
    "Prediction",
    "Rung",
    "Size",
    "Span",
    "StagewrightError",
    "Step",
    "SyntaxError",
    "Text",
    "Waste",
    "Word",
    "__version__",
    "generate",
    "measure",
    "new",
]
