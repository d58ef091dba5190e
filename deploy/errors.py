"""What stops a command on a host, in words for the sysadmin."""


class DeployError(Exception):
    """What happened, what was kept or changed, and what to do next."""
