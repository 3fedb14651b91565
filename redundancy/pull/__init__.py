"""Ask a cluster itself, by AXL or over SSH, and only in what reads.

What it answers becomes named texts in the shapes of the vendor's command line, for the reader of
``redundancy.cluster``: there is no second one, and each value has its file and line. No table of the lab is known here.
``pulling.pull`` is the way in.
"""
