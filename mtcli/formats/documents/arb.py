"""Flutter's application resource bundles (.arb): an entry's text is translated, what `@key` says about it stays."""

from mtcli.formats.documents.json_format import ARB

FORMAT = ARB
