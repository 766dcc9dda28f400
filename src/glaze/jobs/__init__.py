"""The durable job engine: claim, execute, retry, rescue, feed; it knows no job kind."""
