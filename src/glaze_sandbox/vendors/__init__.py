"""The vendors played by the sandbox: one file each, documented shapes over one world."""
