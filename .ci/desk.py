"""Run the desk from a checkout: set everything up the first time, then start it with the given arguments."""

from __future__ import annotations

import subprocess
import sys

import ground


def main() -> int:
    """Set up and start."""
    try:
        ground.check_python()
        ground.install_debian_packages(ground.DESK_PACKAGES)
        ground.install_environment("")
    except ground.GroundError as error:
        print(f"quantdesk: {error}", file=sys.stderr)
        return 1
    try:
        return subprocess.call([str(ground.python()), "-m", "quantdesk", *sys.argv[1:]])
    except KeyboardInterrupt:  # the desk got the same signal and is closing
        return 130


if __name__ == "__main__":
    sys.exit(main())
