"""Customers of the demo who use the public API: phones, kiosks, a partner's app."""
