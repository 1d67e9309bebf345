"""The admin page that shows the tariff."""
from flask_admin import BaseView, expose

from .tariff import ZONES


class TariffView(BaseView):
    @expose("/")
    def index(self):
        return self.render("admin/tariff.html", zones=ZONES)
