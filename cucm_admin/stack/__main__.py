"""The entry point. It must stay readable to an old Python, so that its one line can be printed."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the check is for those who have an older one
    sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0])

from cucm_admin.stack.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
