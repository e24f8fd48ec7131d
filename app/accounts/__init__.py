"""Users: accounts, guests, sign-in, sessions and tokens."""
