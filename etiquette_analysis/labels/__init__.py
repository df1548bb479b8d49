"""What a message is: pure functions from texts and tables to labels. A label may abstain: null, never a guess."""
