"""Clients that really log in: played by one process, over HTTP, as Jabber does it.

They know what a client knows, and ask the product nothing but what a client asks.
"""
