"""A whole Debian, booted in namespaces, on which the package is lived with: docs/testing-hosts.md."""
