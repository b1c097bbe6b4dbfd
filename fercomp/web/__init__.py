"""Local pages: a server on 127.0.0.1 that only its own user can talk to, and one static page each."""
