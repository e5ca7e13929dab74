"""What a question needs to be measured: processes, the machine, the parts of a results file."""
