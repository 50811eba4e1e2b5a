"""The coach's side: requests for a coach, who takes them, when, and the desk where coaches work."""
