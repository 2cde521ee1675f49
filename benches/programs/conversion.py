"""This library's Python package: a client, sequential reports."""

from common import API_KEY, API_SECRET, CA_FILE, TIMESTAMP, URL, measure
from nexmo_conversion import Client, Credentials, Options

with Client(Credentials.query(API_KEY, API_SECRET), Options(base_url=URL, ca_file=CA_FILE)) as client:
    measure(lambda message_id: client.sms(message_id, True, TIMESTAMP))
