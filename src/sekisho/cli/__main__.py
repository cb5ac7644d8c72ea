"""`python -m sekisho.cli`, for where no script is installed."""

import sys

from sekisho.cli.main import main

sys.exit(main())
