"""One sealed message a day, always of the same size: `nightferry report`."""
