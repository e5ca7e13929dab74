"""What is measured: shapes, random sentences and the model."""
