# The socket on which systemd receives the messages of its services: prints each one as a line of JSON.
import json
import socket
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    # Without room for the file descriptor that comes with BARRIER=1, the kernel closes it: systemd-notify goes on.
    print(json.dumps(receiver.recv(4096).decode()), flush=True)
