"""The epoch: one row whose random value changes whenever what any key may do can have changed."""
