"""`python run.py STAGEWRIGHT OUT [PROJECT …]`: what other tools make of the sample applications, beside what stagewright makes of them.

STAGEWRIGHT is the command, OUT a folder for what every tool writes. The tools of `requirements.txt` are taken from the environment of this
interpreter; `@flydotio/dockerfile` from the folder of node_modules that FLYDOTIO names, `droast` and `nixpacks` from the search path. What
is not there is left out and named at the end.

Every rewritten file is read by `stagewright diff` against the file as it was, with the project as its context: predicted bytes, what an
edit of the source then runs again, and whether BuildKit would reject it. hadolint counts what it finds before and after.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECTS = Path(__file__).parents[2] / "tests" / "projects"
BIN = Path(sys.executable).parent
command, out = Path(sys.argv[1]), Path(sys.argv[2])
missing = set()


def call(words, **options):
    """What a program prints; nothing where it is not there."""
    try:
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, check=False, **options)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        missing.add(Path(str(words[0])).name)
        return None


def in_place(*words):
    """A tool that rewrites `Dockerfile` in its folder."""

    def rewrite(folder):
        return call([words[0], *words[1:], folder / "Dockerfile"]) and (folder / "Dockerfile").read_text()

    return rewrite


def stagewright(applicability):
    def rewrite(folder):
        plan = json.loads(call([command, "optimize", "--json", "--applicability", applicability, folder]).stdout)
        if plan["dockerignore"] is not None:
            (folder / ".dockerignore").write_text(plan["dockerignore"])
        return plan["dockerfile"]

    return rewrite


def docktor(folder):
    done = call([BIN / "docktor", "optimize", "--raw", folder / "Dockerfile"])
    return done and done.stdout


def generated(*words):
    """A tool that writes `Dockerfile` into a project without one."""

    def generate(folder):
        (folder / "Dockerfile").unlink(missing_ok=True)
        done = call([word.format(folder=folder) for word in words], cwd=folder)
        found = [folder / "Dockerfile", folder / "out" / ".nixpacks" / "Dockerfile"]
        return done and next((path.read_text() for path in found if path.is_file()), None)

    return generate


def own_recipe(folder):
    (folder / "Dockerfile").unlink(missing_ok=True)
    done = json.loads(call([command, "generate", "--json", folder]).stdout)
    if "error" in done:
        return None
    (folder / ".dockerignore").write_text(done["dockerignore"])
    return done["dockerfile"]


FLYDOTIO = Path(os.environ.get("FLYDOTIO", "node_modules")) / "@flydotio" / "dockerfile" / "index.js"
TOOLS = {
    "stagewright, safe": stagewright("safe"),
    "stagewright, unsafe": stagewright("unsafe"),
    "tally --fix --fix-unsafe": in_place(BIN / "tally", "lint", "--fix", "--fix-unsafe", "--slow-checks", "off"),
    "dockerfile-doctor --fix": in_place(BIN / "dockerfile-doctor", "--fix", "--unsafe-fixes"),
    "docktor optimize": docktor,
    "droast --fix": in_place("droast", "--no-roast", "--fix"),
    "stagewright generate": own_recipe,
    "dockseed init": generated(str(BIN / "dockseed"), "init", "--path", "{folder}", "--yes", "--overwrite"),
    "@flydotio/dockerfile": generated("node", str(FLYDOTIO), "--yes"),
    "nixpacks build": generated("nixpacks", "build", "{folder}", "--out", "{folder}/out"),
}


def hadolint(path):
    done = call([BIN / "hadolint", "-f", "json", path])
    try:
        return len(json.loads(done.stdout))
    except (AttributeError, ValueError):
        return None


def measure(before, after):
    """The prediction for a rewritten file in its own folder, against the file as it was in its."""
    done = call([command, "diff", "--json", before, after])
    answer = json.loads(done.stdout)
    if "error" in answer:
        return None
    faults = [finding["code"] for finding in answer["introduced"] if finding["severity"] == "error"]
    return {
        "before": answer["before"]["uncompressed"]["expected"],
        "after": answer["after"]["uncompressed"]["expected"],
        "reruns": [line for line in answer["after"]["rebuilds"] if line.upper().startswith("RUN")],
        "faults": faults,
        "differs": sorted({part["part"] for part in answer["config"]}),
    }


def write(project, tool):
    """The folder in which a tool has rewritten a project; nothing where it gave none. What is there already is kept."""
    folder = out / project.name / tool.replace("/", "-").replace(" ", "_").replace(",", "")
    done = folder / "Dockerfile.written"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project, folder)
        done.write_text(TOOLS[tool](folder) or "")
    if not done.read_text().strip():
        return None
    shutil.copy(done, folder / "Dockerfile")
    return folder


def main():
    wanted = sys.argv[3:]
    projects = [path.parent for path in sorted(PROJECTS.glob("*/Dockerfile")) if not wanted or path.parent.name in wanted]
    rows = []
    for project in projects:
        for tool in TOOLS:
            folder = write(project, tool)
            found = folder and measure(project, folder)
            if not found:
                rows.append({"project": project.name, "tool": tool, "none": True})
                continue
            rows.append({"project": project.name, "tool": tool, "hadolint": [hadolint(project / "Dockerfile"), hadolint(folder / "Dockerfile")], **found})
    (out / "peers.json").write_text(json.dumps(rows, indent=1))
    print("| tool | files | smaller by (median) | larger | an edit installs again | rejected | hadolint finds, before and after |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for tool in TOOLS:
        own = [row for row in rows if row["tool"] == tool and "after" in row]
        if not own:
            missing.add(tool)
            continue
        shares = sorted(1 - row["after"] / row["before"] for row in own)
        larger = sum(share < 0 for share in shares)
        again = sum(any(word in line for line in row["reruns"] for word in ("install", "npm ci", " sync")) for row in own)
        faults = sum(bool(row["faults"]) for row in own)
        counts = [sum(row["hadolint"][at] or 0 for row in own) for at in (0, 1)]
        print(f"| {tool} | {len(own)} | {shares[len(shares) // 2]:.0%} | {larger} | {again} | {faults} | {counts[0]}, {counts[1]} |")
    if missing:
        print("\nnot there, or without an answer:", ", ".join(sorted(missing)))


if __name__ == "__main__":
    main()
