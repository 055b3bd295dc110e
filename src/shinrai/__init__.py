"""Shinrai (信頼): from a policy goal to a single model reply, and back."""
