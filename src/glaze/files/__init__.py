"""Rows in and out of CSV and JSONL, as streams."""
