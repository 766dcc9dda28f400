"""The company's own website: fetched politely, and read for everything that it states."""

from glaze.providers.website.extract import extract, rows
from glaze.providers.website.provider import website

__all__ = ["extract", "rows", "website"]
