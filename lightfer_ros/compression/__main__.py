"""`python -m lightfer_ros.compression`."""

import sys

from lightfer_ros.compression.main import main

sys.exit(main())
