"""What a report is about."""

from enum import IntEnum

from . import _abi


class Channel(IntEnum):
    """What a report is about."""

    SMS = _abi.NEXMO_CHANNEL_SMS
    """An SMS. The message_id is the message-id that the SMS API returned, or the event_id of the Verify API."""
    VOICE = _abi.NEXMO_CHANNEL_VOICE
    """A phone call. The message_id is the call-id that the Text-To-Speech or Text-To-Speech-Prompt API returned."""
