"""From text to a list of instructions, in Python: stagewright beside the packages of others, on the same files in one run.

    python parse.py FOLDER [ROUNDS]

reads every file below FOLDER, keeps those that all packages accept, and prints the median processor time of a pass over all of them. A pass makes, for each
file, the list of its instructions as tuples of keyword, flags where the package knows them, value or arguments, first and last line.
The packages take turns, and time that other programs took does not count.
"""

import io
import statistics
import sys
import time
from pathlib import Path

import dockerfile
import dockerfile_parse
import e2b_dockerfile_utils
import stagewright


def with_stagewright(text):
    return [
        (i.keyword, i.flags, i.text, i.line, i.end_line)
        for i in stagewright.Dockerfile.parse(text).instructions
    ]


def with_e2b(text):
    return [
        (i.name, i.flags, i.args, i.start_line, i.end_line)
        for i in e2b_dockerfile_utils.parse_dockerfile_ast(text).instructions
    ]


def with_dockerfile_parse(text):
    parser = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(text.encode()))
    return [
        (i["instruction"], i["value"], i["startline"], i["endline"])
        for i in parser.structure
        if i["instruction"] != "COMMENT"
    ]


def with_dockerfile(text):
    return [
        (i.cmd, i.flags, i.value, i.start_line, i.end_line)
        for i in dockerfile.parse_string(text)
    ]


PARSERS = {
    "stagewright": with_stagewright,
    "dockerfile 3.4.0 (BuildKit's parser in Go)": with_dockerfile,
    "dockerfile-parse 2.0.1": with_dockerfile_parse,
    "e2b-dockerfile-utils 0.1.1": with_e2b,
}


def accepted(text):
    try:
        return all(parse(text) for parse in PARSERS.values()) and not stagewright.Dockerfile.parse(text).errors
    except Exception:
        return False


def texts(folder):
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            try:
                yield path.read_bytes().decode()
            except UnicodeDecodeError:
                pass


def main(folder, rounds=5):
    files = [text for text in texts(folder) if accepted(text)]
    size = sum(len(text.encode()) for text in files)
    print(f"{len(files)} files, {size / 1e6:.1f} MB, {rounds} rounds, Python {sys.version.split()[0]}")
    times = {name: [] for name in PARSERS}
    for _ in range(rounds):
        for name, parse in PARSERS.items():
            start = time.process_time()
            for text in files:
                parse(text)
            times[name].append(time.process_time() - start)
    ours = statistics.median(times["stagewright"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:45} {median * 1e3:9.1f} ms {median / ours:7.1f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
