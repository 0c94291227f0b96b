"""What does the bundle start? The server that its wheel brings, for one principal."""

import sys

from mcp_migrate.__main__ import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
