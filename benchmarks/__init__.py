"""The course's own code side by side with its peers, on the machine at hand: `make bench`."""
