from flask import Flask, Response, jsonify
from tabulate import tabulate

from . import garages


def create_app():
    app = Flask(__name__)

    @app.get("/free/<name>")
    def free(name):
        garage = garages.find(name)
        if garage is None:
            return jsonify(error="no such garage"), 404
        return jsonify(name=name, free=garage.free)

    @app.get("/table")
    def table():
        return Response(tabulate(garages.rows(), headers=["garage", "free"]), mimetype="text/plain")

    return app
