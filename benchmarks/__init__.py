"""Speed and memory against the plain stack (docxtpl per document, GitPython index commits, LibreOffice)."""
