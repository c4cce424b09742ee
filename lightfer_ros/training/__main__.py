"""`python -m lightfer_ros.training`."""

import sys

from lightfer_ros.training.main import main

sys.exit(main())
