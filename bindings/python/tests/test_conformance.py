"""The package's answers to the cases that all languages share: `tests/conformance`."""

import json
from pathlib import Path

import pytest

import stagewright
from stagewright import BuildFiles, Dockerfile, Span, StagewrightError

CONFORMANCE = Path(__file__).parents[3] / "tests" / "conformance"


def analyze(case, folder, side=None):
    files = BuildFiles.open(folder, hash=(case["folder"] / "after").is_dir())
    build = dict(case.get("build", {}))
    for name, more in (side or {}).items():
        build[name] = {**build.get(name, {}), **more}
    saved = case["folder"] / "against.json"
    against = saved.read_text() if saved.is_file() else None
    return files.dockerfile.analyze(context=files.context, config=files.config, against=against, **build)


def durations(case, asked):
    trace = stagewright.Trace.read(case["folder"] / asked["trace"]) if "trace" in asked else None
    seconds = json.loads((case["folder"] / asked["durations"]).read_bytes()) if "durations" in asked else {}
    return {"trace": trace, "durations": seconds}


def size(case):
    return analyze(case, case["folder"] / "project")


def cache(case):
    asked = case.get("cache", {})
    options = {name: asked[name] for name in ("no_cache", "no_cache_filter", "imported") if name in asked}
    if "snapshot" in asked:
        before = stagewright.Snapshot.read(case["folder"] / asked["snapshot"]).analyze()
    else:
        before = analyze(case, case["folder"] / "project", asked.get("before"))
    if (case["folder"] / "after").is_dir():
        after = analyze(case, case["folder"] / "after", asked.get("after"))
        prediction = after.since(before, **options)
    else:
        prediction = before.after(**case.get("change", {}), **options)
    for step in asked.get("cached", []):
        prediction.expect_cached(step)
    for step in asked.get("rerun", []):
        prediction.expect_rerun(step)
    return prediction.against(**durations(case, asked))


def history(case):
    asked = case["history"]
    commits = stagewright.History.read(case["folder"] / asked["commits"])
    given = durations(case, asked)
    return analyze(case, case["folder"] / "project").forecast(commits, **given)


def optimize(case):
    asked = dict(case["plan"])
    until = asked.pop("until", None)
    plan = analyze(case, case["folder"] / "project").plan(**asked)
    return plan if until is None else plan.until(until)


def diff(case):
    before, after = (analyze(case, case["folder"] / state) for state in ("project", "after"))
    return before.diff(after, **case.get("diff", {}))


def generate(case):
    return stagewright.generate(case["folder"] / "project", **case["generate"])


def measure(case):
    asked = dict(case["measure"])
    return stagewright.measure(case["folder"] / "project" / asked.pop("image"), **asked)


def compare(case):
    return size(case).compare_with(measure(case))


def errors(case):
    asked = next((asked for name, asked in ASKED.items() if name in case), size)
    with pytest.raises(StagewrightError) as caught:
        asked(case)
    return caught.value


ASKED = {"cache": cache, "history": history, "plan": optimize, "generate": generate, "measure": measure}
AREAS = {"size": size, "cache": cache, "history": history, "optimize": optimize, "generate": generate, "measure": measure, "compare": compare, "diff": diff, "errors": errors}
CASES = [(area, path) for area in AREAS for path in sorted((CONFORMANCE / area).iterdir())]


def test_there_are_cases():
    assert len(CASES) >= 28


@pytest.mark.parametrize(("area", "path"), CASES, ids=lambda value: getattr(value, "name", value))
def test_answer(area, path):
    case = {**json.loads((path / "case.json").read_bytes()), "folder": path}
    expected = (path / "expected.json").read_bytes().decode()
    answer = AREAS[area](case)
    project = str(path / "project")
    if area == "errors":
        error = json.loads(expected)["error"]
        assert (answer.code, str(answer).replace(project, "$PROJECT")) == (error["code"], error["message"])
    else:
        assert answer.to_json().replace(project, "$PROJECT") == expected


def cases(area):
    return pytest.mark.parametrize("path", sorted((CONFORMANCE / area).iterdir()), ids=lambda path: path.name)


def read(path):
    return Dockerfile.parse(path.read_bytes().decode())


@cases("syntax")
def test_buildkit(path):
    expected = json.loads((path / "expected.json").read_bytes())
    file = read(path / "Dockerfile")
    del expected["about"]
    assert json.loads(file.to_buildkit_json("Dockerfile")) == {"file": "Dockerfile", **expected}
    assert file.text == (path / "Dockerfile").read_bytes().decode()


@cases("format")
def test_format(path):
    formatted = read(path / "Dockerfile").format()
    assert formatted == read(path / "expected.Dockerfile")
    assert formatted.format() == formatted


def edited(path, case):
    if "instructions" in case:
        return Dockerfile.of(case["instructions"])
    file = read(path / "Dockerfile")
    for operation in case["operations"]:
        operation = dict(operation)
        if "span" in operation:
            operation["span"] = Span(**operation["span"])
        file = getattr(file, operation.pop("op"))(**operation)
    return file


@cases("edit")
def test_edit(path):
    case = json.loads((path / "case.json").read_bytes())
    if "error" in case:
        with pytest.raises(StagewrightError) as caught:
            edited(path, case)
        assert {"code": caught.value.code, "message": str(caught.value)} == case["error"]
    else:
        assert edited(path, case) == read(path / "expected.Dockerfile")


def plain(value):
    """The attributes of a fact, as JSON has them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    names = [name for name in dir(value) if not name.startswith("_")]
    return {name: plain(getattr(value, name)) for name in names} if type(value).__module__ == "stagewright" else value


@cases("parse")
def test_parse(path):
    expected = (path / "expected.json").read_bytes().decode()
    file = read(path / "Dockerfile")
    assert file.to_json() == expected
    for index, instruction in enumerate(json.loads(expected)["instructions"]):
        assert plain(file.view(index)) == instruction.pop("view")
        assert plain(file.instructions[index]) == instruction
