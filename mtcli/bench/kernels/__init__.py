"""How something is checked and timed: contestants in turn, memory, the device's best rates."""
