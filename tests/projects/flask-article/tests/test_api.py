import unittest

from main import create_app
from quotes.tariff import price


class TariffTest(unittest.TestCase):
    def test_started_kilograms_count(self):
        self.assertEqual(price("city", 1000), 330)
        self.assertEqual(price("city", 1001), 370)

    def test_too_heavy(self):
        with self.assertRaises(ValueError):
            price("city", 40000)


class ApiTest(unittest.TestCase):
    def setUp(self):
        self.client = create_app().test_client()

    def test_quote(self):
        answer = self.client.post("/api/quotes", json={"zone": "world", "grams": 2500})
        self.assertEqual(answer.get_json(), {"zone": "world", "grams": 2500, "cents": 2250, "days": 9})

    def test_unknown_zone(self):
        answer = self.client.post("/api/quotes", json={"zone": "moon", "grams": 2500})
        self.assertEqual(answer.status_code, 400)

    def test_production_wants_tls(self):
        client = create_app(production=True).test_client()
        self.assertEqual(client.get("/api/health").status_code, 200)
        self.assertEqual(client.get("/api/quotes/zones").status_code, 301)


if __name__ == "__main__":
    unittest.main()
