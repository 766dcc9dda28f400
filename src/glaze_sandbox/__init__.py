"""The vendors' stand-in: real HTTP and DNS over a generated world with known truth."""
