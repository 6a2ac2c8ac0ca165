"""What every stage shares: ids, URL forms, and the schema of every log and table, each declared once.

Imports nothing of ours, so anything may import it.
"""
