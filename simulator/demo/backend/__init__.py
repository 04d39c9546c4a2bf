"""The demo's cloud: the real services as processes, with stand-ins for broker and store that say so."""
