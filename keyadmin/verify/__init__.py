"""May this request pass? Ordered pure checks over frozen facts; one closed list of outcomes, one public mapping."""
