"""领域:规则与判断. Pure decisions: no input or output, no clock, no environment."""
