"""Gunicorn as Nightferry needs it: patient with slow senders, quiet in its logs, quick to stop."""
