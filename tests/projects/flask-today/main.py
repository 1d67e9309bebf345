"""Parcel quotes: an API, an admin page and a home page. Served as `main:app`."""
import os

from flask import Flask, render_template
from flask_admin import Admin
from flask_restx import Api
from flask_talisman import Talisman

from quotes.admin import TariffView
from quotes.api import health, namespace
from quotes.tariff import ZONES


def create_app(production=False):
    app = Flask(__name__, template_folder="quotes/templates", static_folder="quotes/static")
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "only for development")
    app.config["RESTX_MASK_SWAGGER"] = False

    @app.route("/")
    def home():
        return render_template("home.html", zones=ZONES)

    api = Api(app, version="1.0", title="Parcel quotes", prefix="/api", doc="/api/docs")
    api.add_namespace(health)
    api.add_namespace(namespace)

    admin = Admin(app, name="Parcel quotes")
    admin.add_view(TariffView(name="Tariff", endpoint="tariff"))

    if production:
        # No content security policy: the API's documentation and the admin page use inline scripts.
        talisman = Talisman(app, force_https_permanent=True, content_security_policy=None)
        # The load balancer ends TLS; its health probe speaks plain HTTP.
        views = app.view_functions
        views["health_health"] = talisman(force_https=False)(views["health_health"])
    return app


app = create_app(production=os.environ.get("APP_ENV") == "production")

if __name__ == "__main__":
    app.run(port=8000)
