import psycopg2
from flask import Flask, jsonify, request
from psycopg2 import extensions

app = Flask(__name__)


def quote(value):
    return extensions.adapt(value).getquoted().decode("latin-1")


@app.route("/driver")
def driver():
    return jsonify(psycopg2=psycopg2.__version__.split()[0], libpq=extensions.libpq_version() >= 90000)


@app.route("/quote", methods=["POST"])
def post_quote():
    values = request.get_json()
    return jsonify({name: quote(value) for name, value in values.items()})


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8000)
