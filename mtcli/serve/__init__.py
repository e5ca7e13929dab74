"""Translation over HTTP: one process, one pool of engines a model, all requests share its slots.

`service` translates; each interface in `routes` is a thin adapter from what its clients send to the service and back.
`models` says which model translates what, and loads and unloads them; `admission` bounds what is under way.
"""
