"""`./nightferry fetch`: what arrived, from the desk to a USB stick; replies, from the stick to the desk.

Runs on the staff's online machine with nothing but Python: no module outside the standard library
and this room is imported, and the service never imports this room.
"""
