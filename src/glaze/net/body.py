"""Decoding of an answer's body piece by piece, so that a bomb never grows past the cap."""

import zlib
from typing import Protocol

from glaze.errors import BodyTooLarge, ConnectFailed

ACCEPT_ENCODING = "gzip, deflate"

# What arrives may exceed what it decodes to, by framing only. Without this bound an endless row of
# empty gzip members would stay below the decoded cap for ever.
_FRAMING_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = 0x1F
_ZLIB_METHOD = 8  # low half of a zlib stream's first byte; raw deflate is told apart by it


class _Inflate(Protocol):
    """The part of zlib's decompression object that is used here."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class BodyDecoder:
    """Collects one body. Memory stays below the cap plus the piece being fed."""

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        """Prepare for a body of at most ``max_bytes`` decoded bytes.

        Raises: ConnectFailed where the encoding is none of those we offered.
        """
        self._encoding = content_encoding.strip().lower().removeprefix("x-") or "identity"
        if self._encoding not in {"identity", "gzip", "deflate"}:
            raise ConnectFailed("the answer came in an encoding that was not offered")
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._decoded = 0
        self._arrived = 0
        self._inflate: _Inflate | None = None

    def feed(self, piece: bytes) -> None:
        """Add what arrived.

        Raises: BodyTooLarge over the cap, ConnectFailed where the compressed stream is broken.
        """
        self._arrived += len(piece)
        if self._arrived > self._max_bytes + _FRAMING_BYTES:
            raise self._too_large()
        if self._encoding == "identity":
            self._keep(piece)
            return
        try:
            self._feed_compressed(piece)
        except zlib.error:
            raise ConnectFailed("the answer's compressed body is broken") from None

    def finish(self) -> bytes:
        """Return the whole decoded body.

        Raises: ConnectFailed where the compressed stream stopped before its end.
        """
        if self._inflate is not None and not self._inflate.eof:
            raise ConnectFailed("the answer's compressed body ended early")
        return b"".join(self._pieces)

    def _feed_compressed(self, piece: bytes) -> None:
        while piece:
            if self._inflate is None:
                self._inflate = self._start(piece[0])
            elif self._inflate.eof:
                if self._encoding != "gzip" or piece[0] != _GZIP_MAGIC:
                    return  # padding after the end is common and means nothing
                self._inflate = self._start(piece[0])
            # One byte more than allowed is enough to know; zlib never makes more than that.
            self._keep(self._inflate.decompress(piece, self._max_bytes - self._decoded + 1))
            piece = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _start(self, first_byte: int) -> _Inflate:
        if self._encoding == "gzip":
            return zlib.decompressobj(wbits=_GZIP)
        wrapped = first_byte & 0x0F == _ZLIB_METHOD
        return zlib.decompressobj(wbits=zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)

    def _keep(self, decoded: bytes) -> None:
        self._decoded += len(decoded)
        if self._decoded > self._max_bytes:
            raise self._too_large()
        if decoded:
            self._pieces.append(decoded)

    def _too_large(self) -> BodyTooLarge:
        self._pieces.clear()
        return BodyTooLarge(f"the answer has more than {self._max_bytes} bytes")
