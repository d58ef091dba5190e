"""Migrations, run by `./nightferry migrate` and never by a worker."""
