"""The demo: shops, tills and one live page around real edge agents."""
