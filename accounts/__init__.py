"""Organisations, users, memberships, groups, policies, permissions, and the question who may do what."""
