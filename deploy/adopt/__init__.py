"""`adopt`: says what stands between a Django Channels project and its site, and writes its stack.toml."""
