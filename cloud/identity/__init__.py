"""Who somebody is: OpenID Connect for the console and the public API, and the pseudonyms that are kept.

The checks are numbered; the list with their sections stands in `docs/public-api-login.md`.
"""
