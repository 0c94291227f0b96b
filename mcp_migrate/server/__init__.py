"""MCP in and out. Nothing else in this package imports the SDK."""
