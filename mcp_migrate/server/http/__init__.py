"""How is a team served over HTTP? In both protocol eras, without sessions: any replica takes any request.

serving   the socket, and how the process ends
app       which paths there are
guard     which requests are heard at all
body      how much, and how slowly, somebody may send
bearer    whose token came with a request
health    is this server alive, and may calls be sent to it
"""
