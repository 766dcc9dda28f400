"""Public profiles of a company or a person, tried politely and believed by evidence alone."""

from glaze.providers.social.provider import social

__all__ = ["social"]
