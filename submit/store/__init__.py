"""The store: the only room that touches the disk, and it sees sealed octets only.

Rule 1: what a method has returned from is durable, unless its docstring says otherwise.
Rule 2: the length of a sealed file is the only truth of an upload's offset.
Rule 3: names of files are made here or by the intake; never by a client.
"""
