"""The append-only log of changes, and `work.unit`, inside which every change is made."""
