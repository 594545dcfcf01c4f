"""API keys: what they are, who sees them, and every change that can be made to one."""
