"""How each contender is installed, started and spoken to: one small module each."""
