"""The parts of the section `train`: ways to train, whether an update is right, where its time goes."""
