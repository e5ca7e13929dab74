"""What `mtcli demo` shows: a small Korean-English grammar to learn, and a picture of attention."""
