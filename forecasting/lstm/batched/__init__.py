"""Many small networks at once, as one compiled program."""
