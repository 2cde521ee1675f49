"""The service's official Python SDK, `vonage`: its way to report on an SMS. REQUESTS_CA_BUNDLE tells it whom to trust."""

from datetime import datetime

from common import API_KEY, API_SECRET, TIMESTAMP, URL, measure
from vonage import Auth, HttpClientOptions, Vonage

host = URL.removeprefix("https://")
vonage = Vonage(Auth(api_key=API_KEY, api_secret=API_SECRET), HttpClientOptions(api_host=host, timeout=10))
moment = datetime.fromisoformat(TIMESTAMP)


def report(message_id):
    vonage.sms.submit_sms_conversion(message_id, True, moment)
    assert vonage.http_client.last_response.status_code == 200


measure(report)
