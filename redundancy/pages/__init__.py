"""Pages put together from the core and several rooms: those of a presence redundancy group."""
