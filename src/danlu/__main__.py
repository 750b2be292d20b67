"""`python -m danlu` is the command line."""

import sys

from danlu.cli.main import main

sys.exit(main())
