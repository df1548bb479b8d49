"""From labelled, text-free tables to estimates; nothing in here ever sees a message's text."""
