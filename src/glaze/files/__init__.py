"""Rows in and out of CSV, JSONL, Parquet and XLSX, as streams."""
