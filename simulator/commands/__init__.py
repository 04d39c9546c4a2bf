"""One module per verb of `topscoop sim`, and `topscoop demo`."""
