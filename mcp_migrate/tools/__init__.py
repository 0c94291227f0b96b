"""What callers can ask for. Each tool is one YAML in `tool_specs/` and one handler here."""
