"""What a reader sees: page, PDF, pictures."""
