"""The package, the zipapps and their sums, the same octets each time: `./nightferry build`."""
