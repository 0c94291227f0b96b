"""The program that runs a project's Python, away from the target: see `__main__`.

Nothing here may be imported by the server: it patches SQLAlchemy and Alembic for its own process.
"""
