"""The site key: a second key, of the whole installation, that can be demanded beside each API key."""
