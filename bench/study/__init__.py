"""What the learned order costs beside fixed ones and an oracle, in worlds whose truth is known."""
