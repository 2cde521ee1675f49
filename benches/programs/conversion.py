"""Makes sequential reports with a client of this library's Python package."""

from common import API_KEY, API_SECRET, CA_FILE, TIMESTAMP, URL, measure
from nexmo_conversion import Client, Credentials, Options

with Client(Credentials.query(API_KEY, API_SECRET), Options(base_url=URL, ca_file=CA_FILE)) as client:
    measure(lambda message_id: client.sms(message_id, True, TIMESTAMP))
