"""How is a database server reached, and what is said when it cannot be? Below dialects and brokers, which both ask.

postgresql   psycopg: one session that says what its statements mean, and the server's words
mysql        pymysql, for MySQL and MariaDB
"""
