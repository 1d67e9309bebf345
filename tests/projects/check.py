#!/usr/bin/env python3
"""Asks a running application the questions of its check.json and says which answers are wrong.

    check.py PROJECT URL              against a server that is up (it gets a minute to come up)
    check.py PROJECT [URL] -- COMMAND …   starts COMMAND in PROJECT, asks URL or http://127.0.0.1:8000, ends it

A question with `output` has no server to ask: COMMAND runs to its end, and must say that and return `status`.

Runs on Python 3.7 and later without packages. Exit code 0: every answer is right; 1: one is not;
2: wrong use.
"""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request


def ask(base, question):
    """What is wrong with the answer to one question, or None."""
    body = question.get("body")
    request = urllib.request.Request(
        base + question["path"],
        method=question["method"],
        data=None if body is None else json.dumps(body).encode(),
        headers={} if body is None else {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        status, text = answer.code, answer.read().decode()
    if status != question["status"]:
        return "status {}, not {}".format(status, question["status"])
    if "json" in question and json.loads(text) != question["json"]:
        return "body {}, not {}".format(text.strip(), json.dumps(question["json"]))
    if question.get("contains", "") not in text:
        return "the body has no `{}`".format(question["contains"])
    return None


def wait(base, path, seconds=60):
    """Until anything answers at `base`; OSError when nothing does in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(base + path, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def check(project, base):
    """Number of wrong answers; prints a line for each question."""
    with open(os.path.join(project, "check.json")) as file:
        questions = json.load(file)
    wait(base, questions[0]["path"])
    wrong = 0
    for question in questions:
        fault = ask(base, question)
        wrong += fault is not None
        print("{:5} {} {}".format("ok" if fault is None else "WRONG", question["method"], question["path"]),
              "" if fault is None else ": " + fault)
    return wrong


def run(project, command, question):
    """1 if a command that ends by itself says or returns something else than it should."""
    done = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, timeout=60)
    wrong = done.returncode != question["status"] or question["output"] not in done.stdout.decode()
    print("WRONG: {} with {!r}".format(done.returncode, done.stdout) if wrong else "ok    the command's output")
    return int(wrong)


def main(arguments):
    if len(arguments) == 2 and arguments[1] != "--":
        return min(check(*arguments), 1)
    if "--" in arguments[1:3] and arguments[-1] != "--":
        project, split = arguments[0], arguments.index("--")
        url = "http://127.0.0.1:8000" if split == 1 else arguments[1]
        with open(os.path.join(project, "check.json")) as file:
            question = json.load(file)[0]
        if "output" in question:
            return run(project, arguments[split + 1:], question)
        server = subprocess.Popen(arguments[split + 1:], cwd=project)
        try:
            return min(check(project, url), 1)
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                # A shell or an interpreter as process 1 hears no SIGTERM.
                server.kill()
                server.wait()
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
