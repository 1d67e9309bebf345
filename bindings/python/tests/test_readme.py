"""The README's Python code runs, in the folder of a project."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("readme", ["README.md", "bindings/python/README.md"])
def test_code_runs(readme, tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    assert len(blocks) == 1
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests/projects/flask-article", project)
    monkeypatch.chdir(project)
    before = (project / "Dockerfile").read_text()
    exec(compile(blocks[0], readme, "exec"), {})
    output = capsys.readouterr().out
    assert re.match(r"\d{9} bytes", output)
    assert "FROM python:3.7 AS base\n" in output
    assert (project / "Dockerfile").read_text() == before
