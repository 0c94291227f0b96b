"""The databases we can change."""
