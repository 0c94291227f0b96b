"""How does a client without HTTP reach a team's server? Each message passes through as it is; nothing is kept.

serving   standard input and output, and how the process ends
relay     which messages are under way, and what is called off
posting   one message over HTTP, and what comes back
headers   what of a message its HTTP request says as well
known     is a team's server of ours at this address
token     what proves to it who calls
trouble   what a client hears where the server gave no answer
"""
