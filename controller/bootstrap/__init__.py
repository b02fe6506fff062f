"""组装. Builds the real adapters for one workspace and hands the services to `cli` and `web`.

Everything is made at first use, so that a command pays only for what it needs. Each room adds its services to the one
before: foundations → signing → library → importing → reading → filing → copies → keeping → changes → application.
"""

from __future__ import annotations

from controller.bootstrap.application import Application, open_workspace
from controller.bootstrap.new_workspace import NewCompany, make_workspace, starting_rules
from controller.bootstrap.uploaded_document import read_document_file

__all__ = ["Application", "NewCompany", "make_workspace", "open_workspace", "read_document_file", "starting_rules"]
