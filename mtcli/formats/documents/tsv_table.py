"""Tables of tab-separated values (tsv-table); see `tables`."""

from mtcli.formats.documents.tables import TSV

FORMAT = TSV
