"""Makes sequential reports with the official Python SDK, `vonage`, which reads REQUESTS_CA_BUNDLE for the CA file."""

from datetime import datetime

from common import API_KEY, API_SECRET, TIMESTAMP, URL, measure
from vonage import Auth, HttpClientOptions, Vonage

host = URL.removeprefix("https://")
vonage = Vonage(Auth(api_key=API_KEY, api_secret=API_SECRET), HttpClientOptions(api_host=host, timeout=10))
timestamp = datetime.fromisoformat(TIMESTAMP)


def report(message_id):
    vonage.sms.submit_sms_conversion(message_id, True, timestamp)
    assert vonage.http_client.last_response.status_code == 200


measure(report)
