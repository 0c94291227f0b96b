"""How long is the record kept, and where does it go? Into sealed segments: files that verify alone.

``segment`` (the file), ``sealing`` (making it, and letting go of what it holds), ``needed`` (what has to stay),
``purging`` (the one place with a statement that changes an entry; no part of the server imports this package).
"""
