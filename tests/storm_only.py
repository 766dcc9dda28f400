"""The mark of tests that a check has no time for: ``make storm`` runs them."""

import os

import pytest

STORM = os.environ.get("GLAZE_TEST_STORM") == "1"

storm_only = pytest.mark.skipif(not STORM, reason="the storm: GLAZE_TEST_STORM=1")
