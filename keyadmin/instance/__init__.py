"""What belongs to the installation as a whole, and the records that make repeated POSTs harmless."""
