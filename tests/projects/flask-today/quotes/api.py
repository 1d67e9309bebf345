"""The JSON API: health, zones and quotes."""
from flask_restx import Namespace, Resource, fields

from .tariff import ZONES, price

health = Namespace("health", description="Is the service up?")
namespace = Namespace("quotes", description="Prices of parcels")

zone_model = namespace.model("Zone", {
    "name": fields.String(required=True),
    "base": fields.Integer(required=True, description="cents"),
    "per_kilogram": fields.Integer(required=True, description="cents for each started kilogram"),
    "days": fields.Integer(required=True, description="working days"),
})

parcel_model = namespace.model("Parcel", {
    "zone": fields.String(required=True, enum=sorted(ZONES)),
    "grams": fields.Integer(required=True, min=1),
})

quote_model = namespace.model("Quote", {
    "zone": fields.String(required=True),
    "grams": fields.Integer(required=True),
    "cents": fields.Integer(required=True),
    "days": fields.Integer(required=True),
})


@health.route("")
class Health(Resource):
    def get(self):
        return {"status": "ok"}


@namespace.route("/zones")
class Zones(Resource):
    @namespace.marshal_list_with(zone_model)
    def get(self):
        """Every zone with its tariff."""
        return [zone._asdict() for zone in ZONES.values()]


@namespace.route("")
class Quotes(Resource):
    @namespace.expect(parcel_model, validate=True)
    @namespace.marshal_with(quote_model)
    @namespace.response(400, "unknown zone or a weight that is not carried")
    def post(self):
        """What one parcel costs."""
        parcel = namespace.payload
        try:
            cents = price(parcel["zone"], parcel["grams"])
        except ValueError as error:
            namespace.abort(400, str(error))
        zone = ZONES[parcel["zone"]]
        return {"zone": zone.name, "grams": parcel["grams"], "cents": cents, "days": zone.days}
