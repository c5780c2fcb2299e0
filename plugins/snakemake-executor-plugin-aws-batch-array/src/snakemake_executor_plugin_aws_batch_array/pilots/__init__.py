"""Children of one array that stay for a whole run and take the commands of all its lists.

Decision 68.
"""
