"""The chat's limits. Each number is owned by this file. It imports no Django, so that the protocol can read it."""

BODY_CHARS = 4000  # characters of a message
SLUG_CHARS = 64  # characters of a room's name in its address
TITLE_CHARS = 80
TOPIC_CHARS = 250
PAGE = 100  # messages in one page of history, at most
FIRST_PAGE = 50  # messages that a client gets with its join, unless it asks for another number
RESUME = 300  # changes that a returning client gets; further behind, it starts with a new page
FRAME_BYTES = 64 * 1024  # of one frame from a client; the server enforces it
ROOMS_PER_SOCKET = 128
SOCKETS_PER_USER = 10
HELLO_SECONDS = 5  # within which a socket has to send hello
EXPIRY_NOTICE_SECONDS = 60  # before its access token expires, a socket is asked for another
