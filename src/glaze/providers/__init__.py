"""Adapters that translate one vendor or public source each."""
