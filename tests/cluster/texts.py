"""What commands print, as the tests and the benchmark of reading use it."""

HA_GUIDE = """admin:utils ha status
Subcluster Name: DefaultCUPSubCluster
Node 1 Name : imp-pub State: Normal
Node 2 Name : imp-sub State: Running in Backup Mode Reason: Peer Down
"""
STATUS = """admin:show status

Host Name          : imp-pub
Date               : {date}
Time Zone          : UTC
Locale             : en_US.UTF-8
Product Ver        : 14.0.1.12900-161

Uptime:
 01:20:00 up 3 days,  2:07,  1 user

"""
SERVICES = """admin:utils service list
Requesting service status, please wait...
A Cisco DB[STARTED]
Cisco XCP Router[STOPPED]  Commanded Out of Service
"""
