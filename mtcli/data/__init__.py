"""From corpus files to token-budget batches: reading, tokenising, caching on disk, batching."""
