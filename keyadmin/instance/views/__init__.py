"""The pages of the instance, one file for each thing."""
