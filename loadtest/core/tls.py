"""TLS over buffers in memory, without I/O.

OpenSSL then decrypts a whole buffer at a time; on a socket it would read the header of each record first.
"""

import ssl

from loadtest.core.handshake import ConnectionClosed

CHUNK_BYTES = 32 * 1024


def unverified_context() -> ssl.SSLContext:
    """Return a TLS context that accepts any certificate, for sites with a self-signed one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class TlsStream:
    """The client side of one TLS connection."""

    __slots__ = ("_incoming", "_outgoing", "_tls")

    def __init__(self, context: ssl.SSLContext, server_hostname: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)

    def continue_handshake(self, received: bytes = b"") -> tuple[bool, bytes]:
        """Take what was received, and go on with the handshake.

        Returns:
            Whether the handshake is complete, and the bytes to send now.

        Raises:
            ssl.SSLError: the handshake failed; it is an OSError.
        """
        if received:
            self._incoming.write(received)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False, self._outgoing.read()
        return True, self._outgoing.read()

    def decrypt(self, received: bytes) -> bytes:
        """Return the plain bytes of what was received; empty if no record is complete.

        Raises:
            ConnectionClosed: the server has ended the TLS connection, or broken it.
        """
        incoming, tls = self._incoming, self._tls
        if received:
            incoming.write(received)
        plain = b""
        try:
            while True:
                plain += tls.read(CHUNK_BYTES)
                if not incoming.pending:
                    return plain
        except ssl.SSLWantReadError:
            return plain
        except ssl.SSLZeroReturnError:
            if plain:
                return plain
            raise ConnectionClosed from None
        except ssl.SSLError as error:
            raise ConnectionClosed from error

    def encrypt(self, data: bytes) -> bytes:
        """Return the bytes to send for this data."""
        self._tls.write(data)
        return self._outgoing.read()
