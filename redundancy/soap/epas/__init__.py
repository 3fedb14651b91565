"""Client Profile Agent: how clients log in, get their configuration and hear that they must log in again."""
