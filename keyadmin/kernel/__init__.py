"""Pure Python, no Django: what every other room builds on."""
