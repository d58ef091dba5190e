"""The two onion addresses, and who is let in at the desk's: `nightferry onion`."""
