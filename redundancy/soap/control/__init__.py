"""Control Center Services: how programs read, start, stop and activate the services of a node."""
