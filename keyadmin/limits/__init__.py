"""How often: requests counted for each key, and failures for each address."""
