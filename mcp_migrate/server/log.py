"""Where do log lines go? To standard error, as JSON when it is no terminal; never to standard output."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from mcp_migrate.watching import ids

if TYPE_CHECKING:
    import structlog


def log_to_stderr(*, steps: bool = False) -> None:
    """Send log lines, warnings and worse, to standard error; with `steps` each entry that a call leaves as well."""
    logging.basicConfig(level=logging.WARNING, handlers=[_handler()])
    if steps:
        logging.getLogger("mcp_migrate").setLevel(logging.INFO)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    return handler


class _Formatter(logging.Formatter):
    """Renders with structlog when the first line is written: it is not needed before."""

    def format(self, record: logging.LogRecord) -> str:
        import structlog

        renderer: structlog.typing.Processor = (
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
        )
        formatter = structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _with_ids,
            ],
        )
        return formatter.format(record)


def _with_ids(_logger: object, _name: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A line is about the call at hand."""
    return {**line, **ids.current()}
