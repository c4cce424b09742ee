"""`python -m lightfer_ros` is `lightfer`, also where nothing is installed: from the root of a checkout."""

import sys

from lightfer_ros.cli.main import main

sys.exit(main())
