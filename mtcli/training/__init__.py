"""Learning the weights: the loop, the loss, the rate, the averages, the checkpoints."""
