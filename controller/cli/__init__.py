"""命令行 `qms`. Parses, makes one service call, shows the answer."""
