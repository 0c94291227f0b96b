"""How are SSH values written as bytes (RFC 4251, section 5), and is there exactly one way to write each?

The reader takes only the canonical spelling and nothing behind it: two spellings of one signature would be
two signatures.
"""

from __future__ import annotations

import base64
import binascii
import struct

_SPACE, _TILDE = 0x20, 0x7E
_LONGEST_NAME = 255


class WireError(ValueError):
    """These bytes are not the canonical spelling of what was expected; the text is a clause."""


class Reader:
    """Takes the fields of `data` one after the other; `what` names the whole in errors."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int, name: str) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise WireError(f"{self._what} ends inside its {name}")
        taken, self._at = self._data[self._at : end], end
        return taken

    def byte(self, name: str) -> int:
        return self.take(1, name)[0]

    def uint32(self, name: str) -> int:
        return int.from_bytes(self.take(4, name), "big")

    def string(self, name: str) -> bytes:
        return self.take(self.uint32(f"{name} length"), name)

    def text(self, name: str) -> str:
        """A string that names something: short, and printable ASCII alone."""
        raw = self.string(name)
        if len(raw) > _LONGEST_NAME or not all(_SPACE <= octet <= _TILDE for octet in raw):
            raise WireError(f"the {name} in {self._what} is not {_LONGEST_NAME} characters of printable ASCII")
        return raw.decode("ascii")

    def mpint(self, name: str) -> int:
        """A positive integer with the sign bit clear and no leading zero byte that it does not need."""
        raw = self.string(name)
        number = int.from_bytes(raw, "big")
        if not number or raw != mpint(number)[4:]:
            raise WireError(f"{name} in {self._what} is not a positive integer in canonical form")
        return number

    def end(self) -> None:
        """Refuse anything that is left."""
        left = len(self._data) - self._at
        if left:
            raise WireError(f"{left} bytes follow the end of {self._what}")


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def mpint(value: int) -> bytes:
    """A positive integer; one more bit than it has keeps the sign bit clear."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def from_base64(text: str, what: str) -> bytes:
    """Decode the one spelling that an encoder would have written."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError(f"{what} is not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise WireError(f"{what} is not canonical base64")
    return data
