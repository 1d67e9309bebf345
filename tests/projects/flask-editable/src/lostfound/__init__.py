from flask import Flask, jsonify

from .things import THINGS, older_than

app = Flask(__name__)


@app.get("/things")
def things():
    return jsonify(sorted(THINGS))


@app.get("/things/before/<day>")
def before(day):
    return jsonify(older_than(day))
