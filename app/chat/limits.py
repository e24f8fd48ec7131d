"""The product's limits, each with one owner: this file. No Django here, so that the protocol can read it."""

BODY_CHARS = 4000  # characters of a message
SLUG_CHARS = 64  # characters of a room's name in its address
TITLE_CHARS = 80
TOPIC_CHARS = 250
PAGE = 100  # messages in one page of history, at most
FIRST_PAGE = 50  # messages a newcomer sees when nothing else is asked
RESUME = 300  # changes a returning client is sent; further behind, it starts afresh
FRAME_BYTES = 64 * 1024  # of one frame from a client
ROOMS_PER_SOCKET = 128
SOCKETS_PER_USER = 10
HELLO_SECONDS = 5  # a socket that has not said hello by then is closed
PING_SECONDS = 25  # below any load balancer's patience (60 s); as often, the sessions of all sockets are checked again
EXPIRY_NOTICE_SECONDS = 60  # before its token ends, a socket is told to bring another
