"""Makes sequential reports with a `requests` session."""

import requests
from common import API_KEY, API_SECRET, CA_FILE, TIMESTAMP, URL, measure

with requests.Session() as session:
    session.verify = CA_FILE

    def report(message_id):
        query = {"api_key": API_KEY, "api_secret": API_SECRET, "delivered": "true", "message-id": message_id, "timestamp": TIMESTAMP}
        response = session.post(URL + "/conversions/sms", params=query, timeout=10)
        response.raise_for_status()
        assert response.status_code == 200

    measure(report)
