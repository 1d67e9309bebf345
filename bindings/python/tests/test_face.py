"""The package from outside: what its classes hold, what it refuses, how it fits into Python."""

import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import stagewright
from stagewright import BuildFiles, Context, Dockerfile, StagewrightError

NAIVE = """FROM python:3.12-slim
COPY . /app
WORKDIR /app
RUN pip install -r requirements.txt
CMD ["python", "main.py"]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Dockerfile").write_text(NAIVE)
    (tmp_path / "main.py").write_text("print(1)\n")
    (tmp_path / "requirements.txt").write_text("click==8.1.7\n")
    return tmp_path


@pytest.fixture
def analysis(project):
    return Dockerfile.read(project).analyze(context=project)


def test_many_builds_in_one_call(project, analysis):
    first, missing, last = stagewright.analyze_many([project, project / "nowhere", project / "Dockerfile"])
    assert first.to_json() == last.to_json() == analysis.to_json()
    assert isinstance(missing, StagewrightError) and missing.code == "path-missing"
    with pytest.raises(StagewrightError) as error:
        stagewright.analyze_many([project], platform="no/such/platform/at/all")
    assert error.value.code == "unknown-platform"


def test_text_is_kept_and_instructions_are_placed():
    text = "# escape=`\r\nFROM alpine AS a\r\nRUN --network=none echo é `\r\n  there\r\n"
    file = Dockerfile.parse(text)
    assert file.text == text
    assert file.escape == "`"
    assert [(directive.name, directive.value) for directive in file.directives] == [("escape", "`")]
    run = file.instructions[1]
    assert (run.keyword, run.line, run.end_line) == ("RUN", 3, 4)
    assert text.encode()[run.span.start : run.span.end].startswith(b"RUN --network")
    assert [(flag.name, flag.value) for flag in run.flags] == [("network", "none")]


def test_heredocs():
    (_, run) = Dockerfile.parse("FROM alpine\nRUN <<'EOF'\necho $HOME\nEOF\n").instructions
    (heredoc,) = run.heredocs
    assert (heredoc.name, heredoc.content, heredoc.expand) == ("EOF", "echo $HOME\n", False)


def test_a_wrong_dockerfile_is_a_value():
    errors = Dockerfile.parse("FROM alpine\nRUNN echo\nCOPY a\n").errors
    assert [(error.line, error.code) for error in errors] == [(2, "unknown-instruction"), (3, "argument-count")]
    assert "RUNN" in errors[0].message


def test_sizes(analysis, project):
    size = analysis.size
    assert 0 < size.low <= size.expected <= size.high
    assert 0 < analysis.compressed.expected < size.expected
    assert analysis.target == "stage-0"
    assert analysis.base.reference == "python:3.12-slim" and analysis.base.known
    copy = analysis.layers[1]
    assert (copy.line, copy.stage, copy.instruction) == (2, "stage-0", "COPY . /app")
    assert copy.size.expected == sum(path.stat().st_size for path in project.iterdir())
    assert copy.basis and copy.contents[0].path.startswith("/app/")
    assert analysis.layers[0].size.expected == analysis.base.size.expected
    assert analysis.hidden.expected == 0
    assert analysis.findings == []


def test_a_change_runs_steps_again(analysis):
    prediction = analysis.after(files=["main.py"])
    assert [step.verdict for step in prediction.steps] == ["cached", "rerun", "rerun", "rerun"]
    assert "`main.py`" in prediction.steps[3].cause
    assert prediction.steps[0].cause is None
    assert prediction.warm_pull.expected > 0
    assert all(step.verdict == "cached" for step in analysis.after().steps)
    changed = analysis.after(dockerfile=NAIVE.replace("-r requirements.txt", "click"))
    assert [step.verdict for step in changed.steps] == ["cached", "cached", "cached", "rerun"]


def test_a_build_argument_runs_steps_again():
    file = Dockerfile.parse("FROM alpine\nARG LEVEL\nRUN make $LEVEL\n")
    analysis = file.analyze(context=Context.files({}), build_args={"LEVEL": "1"})
    assert [step.verdict for step in analysis.after(build_args={"LEVEL": "1"}).steps] == ["cached", "cached"]
    assert [step.verdict for step in analysis.after(build_args={"LEVEL": "2"}).steps] == ["cached", "rerun"]


def test_two_folders_are_compared(project):
    def build(text):
        (project / "main.py").write_text(text)
        files = BuildFiles.open(project, hash=True)
        return files.dockerfile.analyze(context=files.context)

    before, same, after = build("print(1)\n"), build("print(1)\n"), build("print(2)\n")
    assert {step.verdict for step in same.since(before).steps} == {"cached"}
    assert [step.verdict for step in after.since(before).steps] == ["cached", "rerun", "rerun", "rerun"]


def test_a_plan_climbs_and_is_written(analysis, project):
    plan = analysis.plan(objective="warm-pull", applicability="safe", change="main.py")
    assert (plan.objective, plan.applicability, plan.change) == ("warm-pull", "safe", "main.py")
    first = plan.steps[0]
    assert first.pass_name == "manifests_first" and first.applicability == "safe"
    assert first.before == plan.before
    assert len(first.after.rebuilds) < len(first.before.rebuilds)
    assert first.after.warm_pull < first.before.warm_pull
    files = BuildFiles.open(project)
    files.write(plan)
    assert files.path.read_text() == plan.dockerfile != NAIVE
    assert (project / ".dockerignore").read_text() == plan.dockerignore
    assert Dockerfile.read(project).analyze(context=project).plan(objective="warm-pull").steps == []


def test_passes_are_chosen(analysis):
    assert [step.pass_name for step in analysis.plan(only=["package_cache"]).steps] == ["package_cache"]
    assert "package_cache" not in [step.pass_name for step in analysis.plan(skip=["package_cache"]).steps]


def test_generate(tmp_path):
    (tmp_path / "main.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("flask==3.0.3\ngunicorn==22.0.0\n")
    generated = stagewright.generate(tmp_path, port=9000)
    assert generated.recipe == "python"
    assert "EXPOSE 9000" in generated.dockerfile
    assert Dockerfile.parse(generated.dockerfile).errors == []
    assert generated.size.expected > generated.compressed.expected > 0
    assert generated.found
    generated.write(tmp_path)
    assert (tmp_path / "Dockerfile").read_text() == generated.dockerfile
    with pytest.raises(StagewrightError) as caught:
        generated.write(tmp_path)
    assert caught.value.code == "file-exists"
    given = stagewright.generate(tmp_path, base="python:3.11-slim", command=["python", "main.py"])
    assert given.dockerfile.startswith("FROM python:3.11-slim") and 'CMD ["python", "main.py"]' in given.dockerfile


def test_contexts_in_memory():
    context = Context.files({"main.py": b"\xff\xfe", "notes.md": "later\n", ".dockerignore": "*.md\n"})
    assert context.sizes == {".dockerignore": 5, "main.py": 2}
    assert context.size == 7
    assert context.ignored == ["notes.md"]


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("path-missing", lambda path: Dockerfile.read(path / "nothing")),
        ("dockerfile-missing", lambda path: BuildFiles.open(path)),
        ("context-missing", lambda path: Dockerfile.parse(NAIVE).analyze(context=path / "nothing")),
        ("no-stages", lambda path: Dockerfile.parse("").analyze(context=path)),
        ("unknown-target", lambda path: Dockerfile.parse(NAIVE).analyze(context=path, target="web")),
        ("unknown-platform", lambda path: Dockerfile.parse(NAIVE).analyze(context=path, platform="amiga")),
        ("bad-date", lambda path: Dockerfile.parse(NAIVE).analyze(context=path, as_of="2019")),
        ("unknown-objective", lambda path: Dockerfile.parse(NAIVE).analyze(context=path).plan(objective="beauty")),
        ("unknown-applicability", lambda path: Dockerfile.parse(NAIVE).analyze(context=path).plan(applicability="mostly")),
        ("unknown-pass", lambda path: Dockerfile.parse(NAIVE).analyze(context=path).plan(only=["magic"])),
        ("no-recipe", lambda path: stagewright.generate(path)),
    ],
)
def test_a_wrong_call_raises(tmp_path, code, call):
    with pytest.raises(StagewrightError) as caught:
        call(tmp_path)
    assert caught.value.code == code
    assert str(caught.value)


def test_bytes_that_are_not_utf8(tmp_path):
    (tmp_path / "Dockerfile").write_bytes(b"FROM alpine\nRUN echo \xff\n")
    with pytest.raises(StagewrightError, match="offset 21") as caught:
        Dockerfile.read(tmp_path)
    assert caught.value.code == "not-utf8"


def test_values_compare_show_themselves_and_are_pickled(analysis):
    values = [
        analysis.size,
        analysis.base,
        *analysis.layers,
        *analysis.after(files=["main.py"]).steps,
        *analysis.plan(applicability="unsafe").steps,
        *Dockerfile.parse(NAIVE).instructions,
        *Dockerfile.parse("COPY").errors,
        Dockerfile.parse(NAIVE),
    ]
    assert len(values) > 15
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value
        assert type(value).__name__ in repr(value)
    assert repr(stagewright.Size(1, 2, 3)) == "Size(low=1, expected=2, high=3)"
    assert stagewright.Size(1, 2, 3) != stagewright.Size(1, 2, 4)
    with pytest.raises(AttributeError):
        analysis.size.low = 0
    assert len({Dockerfile.parse("FROM a"), Dockerfile.parse("FROM a"), Dockerfile.parse("FROM b")}) == 2


def test_errors_are_pickled():
    with pytest.raises(StagewrightError) as caught:
        Dockerfile.parse("").analyze(context=Context.files({}))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, str(copy)) == (caught.value.code, str(caught.value))


def test_everything_is_documented():
    for name in stagewright.__all__:
        value = getattr(stagewright, name)
        if isinstance(value, type):
            assert value.__doc__, name
            for member, attribute in vars(value).items():
                if not member.startswith("_"):
                    assert attribute.__doc__, f"{name}.{member}"
    assert stagewright.generate.__doc__


def test_json_is_json(analysis, project):
    for text in [
        Dockerfile.parse(NAIVE).to_json(),
        analysis.to_json(),
        analysis.after(files=["main.py"]).to_json(),
        analysis.plan().to_json(),
    ]:
        assert text.endswith("}\n")
        assert json.loads(text)["schema"] == 1


def test_threads_work_side_by_side(project):
    expected = Dockerfile.read(project).analyze(context=project).plan().to_json()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(Dockerfile.read(project).analyze(context=project).plan().to_json()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_the_example_runs(project):
    example = Path(__file__).parents[1] / "examples" / "optimize.py"
    output = subprocess.run([sys.executable, example, project], capture_output=True, text=True, check=True).stdout
    files = BuildFiles.open(project)
    assert output == files.dockerfile.analyze(context=files.context).plan(applicability="unsafe").to_json()


def test_the_docstring_is_true():
    import doctest

    result = doctest.testmod(stagewright)
    assert result.attempted >= 5 and result.failed == 0


IMAGE = Path(__file__).parents[3] / "tests/conformance/measure/docker-oci/project/image.tar"


def test_an_image_is_measured_and_learned():
    image = stagewright.measure(IMAGE, rows=1)
    assert (len(image.layers), len(image.largest), image.platform) == (4, 1, "linux/amd64")
    assert image.bytes == sum(layer.bytes for layer in image.layers)
    assert repr(image) == f"<Image: {image.bytes} bytes in 4 layers>"
    assert pickle.loads(pickle.dumps(image.layers[0])) == image.layers[0]
    config = image.learn("# ours\n", name="team/base:3", date="2026-11-23")
    assert config.startswith('# ours\n\n[base."team/base:3"]\n')
    file = stagewright.Dockerfile.parse("FROM team/base:3\n")
    analysis = file.analyze(context=stagewright.Context.files({}), config=config)
    assert (analysis.size.low, analysis.base.basis.date) == (image.bytes, "2026-11-23")
    compared = analysis.compare_with(image)
    assert compared.base.size.inside and compared.image.compressed.off == 0
    with pytest.raises(stagewright.StagewrightError) as caught:
        image.learn("[colour]\n")
    assert caught.value.code == "config-unknown-key"
