"""Faces for clients of other systems: thin adapters over the same services."""
