"""The desk of a library."""

from flask import Flask, jsonify

from desk.loans import due


def create_app():
    app = Flask(__name__)

    @app.get("/due/<kind>/<int:day>")
    def due_day(kind, day):
        found = due(kind, day)
        if found is None:
            return jsonify(error=f"nothing of the kind {kind}"), 404
        return jsonify(kind=kind, due=found)

    @app.get("/")
    def index():
        return "Library desk"

    return app
