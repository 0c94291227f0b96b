"""What is seen of a running server from outside? Log lines with ids (``ids``), spans and metrics (``telemetry``).

Nothing here decides anything, and nothing leaves but names and ids: no intent, no SQL, no row.
"""
