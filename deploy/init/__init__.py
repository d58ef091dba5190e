"""From an installed package to two onion sites: `nightferry init`."""
