"""`python run.py OUT [PROJECT …]`: what other tools make of the sample applications, for `cargo xtask real peers OUT` to build.

Each tool writes into a copy of the project, `OUT/PROJECT/TOOL`: rewriters change the naive Dockerfile, generators find none. A tool without
an answer leaves its words in `OUT/PROJECT/TOOL.txt`. `OUT/tools.json` says what each tool is, and of which version. What is there already is kept.

The tools of `requirements.txt` are taken from the environment of this interpreter; `@flydotio/dockerfile` from the folder of node_modules that
FLYDOTIO names, `droast` (the crate `dockerfile-roast`) and `nixpacks` from the search path. What is not there is left out and named at the end.

What stagewright is told of a project (`tests/src/proof.rs`), a generator with an option for it is told too: which Python, and how a program
is started that is no server.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECTS = Path(__file__).parents[2] / "tests" / "projects"
BIN = Path(sys.executable).parent
FLYDOTIO = Path(os.environ.get("FLYDOTIO", "node_modules")) / "@flydotio" / "dockerfile"


def call(words, folder):
    # Of the settings of this machine as little as can be.
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "RUST_BACKTRACE": "0"}
    return subprocess.run([str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


def in_place(*words):
    """A tool that rewrites `Dockerfile` in its folder."""
    return lambda folder: call([*words, folder / "Dockerfile"], folder)


def docktor(folder):
    done = call([BIN / "docktor", "optimize", "--raw", folder / "Dockerfile"], folder)
    if done.returncode == 0:
        (folder / "Dockerfile").write_text(done.stdout)
    return done


def droast(folder):
    # `--fix FILE` would take the file for the name of a rule.
    return call(["droast", "--no-roast", folder / "Dockerfile", "--fix"], folder)


def instruction(text, *names):
    """The words of such instructions, JSON or not."""
    lines = [line.split(None, 1)[1] for line in text.splitlines() if line.split(None, 1)[:1] and line.split()[0] in names]
    return [" ".join(json.loads(line)) if line.startswith("[") else line for line in lines]


def started(folder, naive, option):
    """The option that says how a program is started; nothing for a server."""
    is_server = not any("output" in question for question in json.loads((folder / "check.json").read_text()))
    return [] if is_server else [option, " ".join(instruction(naive, "ENTRYPOINT") + instruction(naive, "CMD"))]


def dockseed(folder):
    naive = (folder / "Dockerfile").read_text()
    (folder / "Dockerfile").unlink()
    python = instruction(naive, "FROM")[-1].removeprefix("python:").split("-")[0]
    words = ["--python", python, *started(folder, naive, "--entrypoint")]
    return call([BIN / "dockseed", "init", "--path", folder, "--yes", *words], folder)


def flydotio(folder):
    (folder / "Dockerfile").unlink()
    return call(["node", FLYDOTIO / "index.js", "--yes"], folder)


def nixpacks(folder):
    """It writes the files of a build beside the project's, and builds them as one context."""
    naive = (folder / "Dockerfile").read_text()
    (folder / "Dockerfile").unlink()
    done = call(["nixpacks", "build", folder, "--out", folder, *started(folder, naive, "--start-cmd")], folder)
    if (folder / ".nixpacks" / "Dockerfile").is_file():
        shutil.copy(folder / ".nixpacks" / "Dockerfile", folder / "Dockerfile")
    return done


def installed(package):
    """What says of which version a package of this interpreter is."""
    return [sys.executable, "-c", f"import importlib.metadata as found; print(found.version('{package}'))"]


# Each with what prints its version.
REWRITERS = {
    "tally": (in_place(BIN / "tally", "lint", "--fix", "--fix-unsafe", "--slow-checks", "off", "--context", "."), installed("tally-cli")),
    "dockerfile-doctor": (in_place(BIN / "dockerfile-doctor", "--fix", "--unsafe-fixes"), installed("dockerfile-doctor")),
    "docktor": (docktor, installed("docktor-py")),
    "droast": (droast, ["droast", "--version"]),
}
GENERATORS = {
    "dockseed": (dockseed, installed("dockseed")),
    "flydotio": (flydotio, ["node", "-p", f"require('{(FLYDOTIO / 'package.json').resolve()}').version"]),
    "nixpacks": (nixpacks, ["nixpacks", "--version"]),
}
LANGUAGES = {"dockseed": "python", "flydotio": "node"}


def write(project, tool, run, folder):
    words = folder.with_name(f"{tool}.txt")
    language = "node" if (project / "package.json").is_file() else "python"
    if folder.is_dir() or words.is_file() or LANGUAGES.get(tool, language) != language:
        return
    shutil.copytree(project, folder)
    done = run(folder)
    if not (folder / "Dockerfile").is_file() or not (folder / "Dockerfile").read_text().strip():
        words.write_text((done.stdout + done.stderr).replace(str(folder), "."))
        shutil.rmtree(folder)


def main():
    out, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:]
    projects = [path.parent for path in sorted(PROJECTS.glob("*/check.json")) if not wanted or path.parent.name in wanted]
    tools, missing = [], []
    for kind, group in [("rewrites", REWRITERS), ("generates", GENERATORS)]:
        for tool, (run, version) in group.items():
            try:
                said = call(version, ".")
            except FileNotFoundError:
                said = None
            if said is None or said.returncode:
                missing.append(tool)
                continue
            number = next(word for word in said.stdout.split() if word[:1].isdigit())
            tools.append({"name": tool, "version": number, "kind": kind})
            for project in projects:
                write(project, tool, run, out / project.name / tool)
    (out / "tools.json").write_text(json.dumps(tools, indent=1))
    if missing:
        print("not at hand:", ", ".join(missing))


if __name__ == "__main__":
    main()
