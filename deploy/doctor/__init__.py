"""What is wrong with this host, and how to mend it: `nightferry doctor`."""
