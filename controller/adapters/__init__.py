"""适配器. Each module implements one port with one library or program."""
