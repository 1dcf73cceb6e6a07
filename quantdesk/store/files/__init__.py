"""Read files that people open: bars and trades, plain or packed, into arrays with an exact report."""

from quantdesk.store.files.read import read_file
from quantdesk.store.files.report import Cancelled, FileError, LoadedFile, LoadedLeg, LoadReport, interval_name

__all__ = ["Cancelled", "FileError", "LoadReport", "LoadedFile", "LoadedLeg", "interval_name", "read_file"]
