"""文控 Wenkong: document-centred quality management for companies that sell and service medical devices."""

__version__ = "0.1.0"
