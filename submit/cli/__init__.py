"""The command line: `./nightferry COMMAND`."""
