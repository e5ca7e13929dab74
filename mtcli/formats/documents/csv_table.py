"""Tables of comma-separated values (csv-table); see `tables`."""

from mtcli.formats.documents.tables import CSV

FORMAT = CSV
