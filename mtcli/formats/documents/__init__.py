"""Files that hold more than lines: how each is taken apart into segments, and put together around translations.

A format is one module and one entry in `registry.FORMATS`. It reads its file twice: once for the segments (`read`),
once to copy everything else around their translations (`write`). What nobody changed keeps its bytes. Nothing here
knows of models, commands or jobs.
"""
