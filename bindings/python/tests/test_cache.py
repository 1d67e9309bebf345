"""Snapshots, revisions of git, forecasts and assertions, from Python."""

import doctest
import subprocess

import pytest

import stagewright
from stagewright import BuildFiles, Context, Dockerfile, History, Snapshot, StagewrightError, testing
from stagewright.testing import assert_cached, assert_rerun

FILE = Dockerfile.parse("FROM python:3.12-slim\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\nCOPY . /app\n")


def analyze(**files):
    return FILE.analyze(context=Context.files({"requirements.txt": "flask\n", "main.py": "1", **files}))


def test_assertions():
    prediction = analyze().after(files=["main.py"])
    assert_cached(prediction, "RUN pip install")
    assert_rerun(prediction, "4")
    cause = "takes in `main.py`, which changed"
    with pytest.raises(AssertionError, match=f"^`COPY . /app` runs again because `COPY . /app` {cause}$"):
        assert_cached(prediction, "COPY .")
    with pytest.raises(AssertionError, match="is cached$"):
        assert_rerun(prediction, "stage-0/3")
    with pytest.raises(StagewrightError) as caught:
        assert_cached(prediction, "RUN npm")
    assert caught.value.code == "unknown-step"
    assert doctest.testmod(testing).failed == 0


def test_snapshots(tmp_path):
    snapshot = analyze().snapshot()
    snapshot.write(tmp_path / "last.json")
    read = Snapshot.read(tmp_path / "last.json")
    assert read.to_json() == snapshot.to_json()
    assert (read.dockerfile, read.files) == (FILE.text, 2)
    later = analyze(**{"main.py": "2"})
    prediction = stagewright.compare(read.analyze(), later)
    assert [step.verdict for step in prediction.steps] == ["cached", "cached", "cached", "rerun"]
    assert prediction.to_json() == later.since(analyze()).to_json()


def test_bases():
    digests = {name: f"sha256:{digit * 64}" for name, digit in (("old", "a"), ("new", "b"))}
    before = FILE.analyze(context=Context.files({}), bases={"python:3.12-slim": digests["old"]})
    assert_rerun(before.after(bases={"python:3.12-slim": digests["new"]}), "FROM")
    with pytest.raises(StagewrightError) as caught:
        FILE.analyze(context=Context.files({}), bases={"python:3.12-slim": "latest"})
    assert caught.value.code == "bad-base"


def test_git(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True)

    (tmp_path / "Dockerfile").write_text(FILE.text)
    (tmp_path / "requirements.txt").write_text("flask\n")
    git("init", "-q")
    for text in ("1", "2"):
        (tmp_path / "main.py").write_text(text)
        git("add", "--all")
        git("commit", "-q", "-m", "a change")
    (tmp_path / "main.py").write_text("3")
    files = BuildFiles.open(tmp_path, hash=True)
    before = files.at_revision("HEAD")
    analyses = [one.dockerfile.analyze(context=one.context) for one in (before, files)]
    assert_rerun(stagewright.compare(*analyses), "COPY .")
    with pytest.raises(StagewrightError) as caught:
        files.at_revision("nothing")
    assert caught.value.code == "git-bad-revision"

    history = files.history(commits=10)
    assert [commit.paths for commit in history.commits] == [["main.py"]]
    forecast = analyses[1].forecast(history, durations={"RUN pip": 10.0})
    assert [step.chance for step in forecast.steps] == [0.0, 0.0, 0.0, 1.0]
    assert forecast.paths == [stagewright.PathForecast("main.py", 1)]
    assert not forecast.shallow and forecast.since == forecast.until
    with pytest.raises(StagewrightError) as caught:
        files.history(since="yesterday")
    assert caught.value.code == "bad-since"


def test_histories_from_elsewhere():
    forecast = analyze().forecast(History.of([["main.py"], ["requirements.txt"]]), durations={"RUN pip": 10.0})
    assert (forecast.steps[2].expected_seconds, forecast.steps[2].basis.source) == (5.0, "given")
    with pytest.raises(StagewrightError) as caught:
        analyze().forecast(History.of([]))
    assert caught.value.code == "no-history"
