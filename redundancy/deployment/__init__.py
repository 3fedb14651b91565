"""What is deployed: services that are activated on a node, functions that are configured for the cluster.

Entered by *Tools > Service Activation*, *Messaging* and *Presence*. Both are written by ``operations``.
"""
