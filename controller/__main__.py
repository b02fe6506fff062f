"""`python -m controller` 等同 `qms`."""

from controller.cli.main import run

run()
