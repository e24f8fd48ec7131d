"""The one message that every contender delivers."""

from loadtest.core.message_tag import MessageTagger

# The bytes of the Channels tutorial's own encoding. Each contender delivers exactly these, inside what it wraps around
# them. Only the chat of the stack delivers an event of its own, with the text inside.
JSON_TEMPLATE = b'{"message": "%s"}'
JSON_BYTES = 120
TEXT_CHARACTERS = JSON_BYTES - len(JSON_TEMPLATE % b"")
RUN_KEY = "bench"


def make_tagger(characters: int = TEXT_CHARACTERS) -> MessageTagger:
    """Return the tagger for messages with a text of this length."""
    return MessageTagger(RUN_KEY, characters)
