"""Start the packaged program. Not quantdesk/__main__.py: beside it lie modules that hide the library's own."""

from __future__ import annotations

import multiprocessing
import sys

from quantdesk.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
