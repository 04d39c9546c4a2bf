"""Identity providers of chains in the database."""
