"""用例. What people do with the system; the world is reached only through `ports`."""
