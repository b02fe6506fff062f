"""合规对照. Tests named after the requirements that they show."""
