"""The coach's side: people and sessions, the desk over real HTTP, its security, the figures."""
