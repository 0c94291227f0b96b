"""Where do log lines go? To standard error, as JSON when it is no terminal; never to standard output."""

from __future__ import annotations

import logging
import sys


def log_to_stderr() -> None:
    """Send the log lines of the libraries we use, warnings and worse, to standard error."""
    logging.basicConfig(level=logging.WARNING, handlers=[_handler()])


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
            ],
        )
        return formatter.format(record)
