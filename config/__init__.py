"""What the sysadmin decides: one TOML file, read once at start into a frozen value."""
