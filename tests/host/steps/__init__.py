"""What a sysadmin does in the years with one host, and what must come of it."""
