"""One channel per group of files: recorded payloads, exact calls, and whole talks against its fake."""
