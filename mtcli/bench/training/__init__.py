"""Section `train`: whether an update is right, how long it takes, and where its time goes."""
