"""From lines to translations: batches of sentences, beam search, text again."""
