"""The parts of the stage `train`: who trains, what is checked, and where mtcli's time goes."""
