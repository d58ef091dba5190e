"""OpenPGP sealing: the format, the keys, the codename. Pure: no web, database, clock or network."""
