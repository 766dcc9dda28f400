"""Print the OpenAPI document of this checkout: what the types of the dashboard are made from."""

import json
import sys
from unittest.mock import MagicMock  # noqa: TID251  describing routes touches nothing behind them

from glaze.api.app import create_app
from glaze.settings import Settings

json.dump(create_app(MagicMock(settings=Settings(_env_file=None))).openapi(), sys.stdout)
