"""Rasa components of our own: how a message becomes a topic, entities and a decision."""
