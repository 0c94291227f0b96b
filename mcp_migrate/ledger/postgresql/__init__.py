"""How does a PostgreSQL database keep a ledger that several servers write to?

``place`` (which database, without telling its password), ``connecting`` (made, opened, recognised), ``storage``
(appending and looking up), ``remembered`` (the head that this machine saw), ``shape`` (is the schema as we made it, and
what may this role do), ``look`` (for verification).
"""
