"""`python -m lightfer_ros.evaluation`."""

import sys

from lightfer_ros.evaluation.main import main

sys.exit(main())
