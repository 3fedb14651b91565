"""The vendor's SOAP interfaces, for programs: AXL, Control Center Services, Client Profile Agent.

One table of fields per operation (`fields.Field`) is what a request is read by, an answer is written by and
the WSDL is made of. `door.door` makes the view of a `service.Service`; an operation calls the core's
``operations``, the rooms' ``writes`` and `redundancy.sql`, so no rule can be passed by. Everything that leaves
is English.
"""
