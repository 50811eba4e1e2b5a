"""Small servers that stand in for the platforms: real HTTP, their limits, faults on demand."""
