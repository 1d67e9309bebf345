"""Parcel quotes: an API, an admin page and a home page. Served as `main:app`."""
import os

from flask import Flask, render_template
from flask_admin import Admin
from flask_restplus import Api
from flask_sslify import SSLify

from quotes.admin import TariffView
from quotes.api import health, namespace
from quotes.tariff import ZONES


def create_app(production=False):
    app = Flask(__name__, template_folder="quotes/templates", static_folder="quotes/static")
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "only for development")
    app.config["RESTPLUS_MASK_SWAGGER"] = False

    if production:
        # The load balancer ends TLS; its health probe speaks plain HTTP.
        SSLify(app, permanent=True, skips=["api/health"])

    @app.route("/")
    def home():
        return render_template("home.html", zones=ZONES)

    api = Api(app, version="1.0", title="Parcel quotes", prefix="/api", doc="/api/docs")
    api.add_namespace(health)
    api.add_namespace(namespace)

    admin = Admin(app, name="Parcel quotes", template_mode="bootstrap3")
    admin.add_view(TariffView(name="Tariff", endpoint="tariff"))
    return app


app = create_app(production=os.environ.get("APP_ENV") == "production")

if __name__ == "__main__":
    app.run(port=8000)
