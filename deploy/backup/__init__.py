"""Copies of what is kept, and back again: `nightferry backup`, `nightferry restore`."""
