"""Service and enterprise parameters: their pages, and every rule by which they are saved.

Entered by *System > Service Parameters* and *Enterprise Parameters*, a group's *Must-Match* and *Login
Profile*, and the Django administration. What is in force is read by ``selectors.parameters``.
"""
