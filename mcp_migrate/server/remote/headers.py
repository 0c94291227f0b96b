"""What of a message does its HTTP request say as well, so that what stands between need not read it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import PROTOCOL_VERSION_META_KEY, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from mcp_types.version import MODERN_PROTOCOL_VERSIONS


class Headers:
    """What is known of the connection so far: its protocol, and which parameters of tools are headers."""

    def __init__(self) -> None:
        self._agreed: str | None = None
        self._parameters: dict[str, dict[tuple[str, ...], str]] = {}

    def of(self, message: JSONRPCRequest | JSONRPCNotification) -> dict[str, str]:
        """The headers of one message."""
        version = _version_of(message)
        if version is None:  # the handshake agrees on one; its own request carries none
            agreed = None if message.method == "initialize" else self._agreed
            return {MCP_PROTOCOL_VERSION_HEADER: agreed} if agreed else {}
        said = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: message.method}
        said = {header: encode_header_value(value) for header, value in said.items()}  # a client writes what it likes
        params = message.params or {}
        name = params.get(NAME_BEARING_METHODS.get(message.method, ""))
        if isinstance(name, str):
            said[MCP_NAME_HEADER] = encode_header_value(name)
            arguments = params.get("arguments")
            if message.method == "tools/call" and isinstance(arguments, Mapping):
                said |= mcp_param_headers(self._parameters.get(name, {}), arguments)
        return said

    def noticed(self, asked: JSONRPCRequest, answer: JSONRPCResponse) -> None:
        """Remember what later headers need of an answer that passes."""
        if asked.method == "initialize":
            self._agreed = _text(answer.result.get("protocolVersion"))
        elif asked.method == "tools/list":
            for tool in _listed(answer.result.get("tools")):
                schema = tool.get("inputSchema")
                if find_invalid_x_mcp_header(schema) is None:
                    self._parameters[str(tool.get("name"))] = x_mcp_header_map(schema)


def _version_of(message: JSONRPCRequest | JSONRPCNotification) -> str | None:
    """The protocol that a message names by itself, as all do since 2026-07-28."""
    meta = (message.params or {}).get("_meta")
    return _text(meta.get(PROTOCOL_VERSION_META_KEY)) if isinstance(meta, Mapping) else None


def is_modern(message: JSONRPCRequest | JSONRPCNotification) -> bool:
    """Whether a message needs no handshake before it."""
    return _version_of(message) in MODERN_PROTOCOL_VERSIONS


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
