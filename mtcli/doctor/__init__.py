"""What is right and wrong with mtcli on this machine, and what to do about it: `mtcli doctor`."""
