"""What is asked, one module a question."""
