"""`python optimize.py FOLDER [YYYY-MM-DD [FILE]]`: the ladder down from a Dockerfile, as JSON."""

import sys

import stagewright

folder, as_of, change, *_ = [*sys.argv[1:], None, None, None]
files = stagewright.BuildFiles.open(folder)
analysis = files.dockerfile.analyze(context=files.context, as_of=as_of)
plan = analysis.plan(objective="cold-pull", applicability="unsafe", change=change)
print(plan.to_json(), end="")
