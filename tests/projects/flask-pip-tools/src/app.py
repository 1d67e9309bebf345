from pathlib import Path

import yaml
from flask import Flask, jsonify

app = Flask(__name__)
MENU = yaml.safe_load((Path(__file__).parent / "menu.yaml").read_text())


@app.get("/menu")
def menu():
    return jsonify(sorted(MENU))


@app.get("/menu/<name>")
def dish(name):
    if name not in MENU:
        return jsonify(error="not on the menu"), 404
    return jsonify(MENU[name])
