"""AXL: how programs read and change the configuration of CUCM and of IM and Presence."""
