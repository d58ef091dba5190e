"""What stops a build, in words for whoever builds."""

from deploy.errors import DeployError


class BuildError(DeployError):
    """What is missing or wrong, and what to do next. Nothing half-made was left behind."""
