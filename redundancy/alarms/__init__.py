"""Alarms: raised and cleared by what is the case, shown until acknowledged, told to channels.

Entered by *Tools > Alarms*, the banner of every page, the task ``alarms``, and the channels in the
Django administration.
"""
