"""The command line: ``python -m graft``, or ``graft`` where the package is installed."""

import sys

from .commands.main import main

sys.exit(main())
