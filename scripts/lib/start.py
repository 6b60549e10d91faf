"""Starts functions under callgrind up to their first `GET /next`: `start.py ENVIRONMENT PROGRAM…`. `scripts/measure-start` runs it."""

import http.client
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import urllib.parse

import template


class Forward(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a stand-in, and notes them. The first GET /next ends the program."""

    protocol_version = 'HTTP/1.1'

    def forward(self):
        if self.server.to is None:
            self.server.asked.set()
            return
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        self.server.calls.append(self.headers.get('x-amz-target', self.path))
        there = http.client.HTTPConnection(self.server.to)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ('content-length', 'transfer-encoding', 'connection'):
                self.send_header(name, value)
        self.send_header('content-length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = forward

    def log_message(self, *_):
        pass


def listen(to, calls):
    """A server that passes on to an address, or that waits for GET /next."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Forward)
    server.daemon_threads = True
    server.to, server.calls, server.asked = to, calls, threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f'127.0.0.1:{server.server_port}'


def measure(program, variables):
    """The instructions and the requests of a start."""
    calls = []
    runtime, address = listen(None, calls)
    variables = {
        name: f'http://{listen(urllib.parse.urlsplit(value).netloc, calls)[1]}' if name.startswith('AWS_ENDPOINT_URL') else value
        for name, value in variables.items()
    }
    variables |= {'AWS_LAMBDA_RUNTIME_API': address, 'PATH': os.environ['PATH']}
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program]
    running = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert runtime.asked.wait(120), 'the program asks for no call'
    running.terminate()
    _, said = running.communicate()
    (count,) = re.findall(r'Collected : (\d+)', said)
    return int(count), calls


def main():
    of_all = json.loads(pathlib.Path(sys.argv[1]).read_text())
    ids = {
        pathlib.PurePath(it['Properties']['CodeUri']).name: id
        for id, it in template.load()['Resources'].items()
        if it['Type'] == 'AWS::Serverless::Function'
    }
    for program in sys.argv[2:]:
        name = pathlib.PurePath(program).name
        instructions, calls = measure(program, of_all[ids[name]])
        print(f'{name}: {instructions:,} instructions, {len(calls)} requests: {", ".join(calls)}')


main()
