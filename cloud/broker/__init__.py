"""Who may do what at the broker: rights from the topics' grammar, written over its dynamic security."""
