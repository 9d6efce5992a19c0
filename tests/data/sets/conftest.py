"""No test of data sets reaches the network, whatever the libraries would like to look up."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported
