"""`make bench`: each figure is a ratio of two things measured in turns, in one run, on one machine."""
