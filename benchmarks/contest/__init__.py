"""What questions need to be measured, beyond `mtcli.bench.contest`: processes, the machine, results files, options."""
