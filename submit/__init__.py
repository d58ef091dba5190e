"""Nightferry's service: it takes uploads, seals them on arrival and keeps them."""
