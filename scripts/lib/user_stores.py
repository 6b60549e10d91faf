"""What the tests of user stores share: the questions of examples/user-store/cases.json, whole recoveries, and functions as stores."""
import concurrent.futures, http.server, json, os, pathlib, queue, re, subprocess, threading, time, urllib.error, urllib.request
from urllib.parse import urlencode

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = json.loads((ROOT / 'examples/user-store/cases.json').read_text())


class FunctionError(Exception):
    """The store answered with an error."""


def call(url, body=None):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b'null')


class HttpStore:
    """A store that answers at a URL."""

    def __init__(self, url):
        self.url = url

    def ask(self, message):
        request = urllib.request.Request(self.url, json.dumps(message).encode(), {'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise FunctionError from None


class Function:
    """A Lambda function's program, run as Lambda does: one invocation at a time for each process, and more processes on demand.

    It also answers at a URL of this machine, for `cargo run -- --user-store`."""

    def __init__(self, program, environment):
        self.program, self.idle, self.all = program, queue.LifoQueue(), []
        credentials = {'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test', 'AWS_REGION': 'us-east-1'}
        self.environment = {'PATH': os.environ['PATH'], **credentials, **environment}
        function = self

        class Front(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                try:
                    status, answer = 200, function.invoke(body)
                except (FunctionError, OSError):
                    status, answer = 500, b'{}'
                self.send_response(status)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.front = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Front)
        self.url = 'http://127.0.0.1:%d/' % self.front.server_port
        threading.Thread(target=self.front.serve_forever, daemon=True).start()

    def ask(self, message):
        return json.loads(self.invoke(json.dumps(message).encode()))

    def invoke(self, body):
        try:
            instance = self.idle.get_nowait()
        except queue.Empty:
            instance = Instance(self.program, self.environment)
            self.all.append(instance)
        try:
            answer = instance.invoke(body)
        except Exception:
            instance.end()
            raise
        self.idle.put(instance)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self):
        self.front.shutdown()
        for instance in self.all:
            instance.end()


class Instance:
    """One process, and Lambda's Runtime API for it."""

    def __init__(self, program, environment):
        self.events, self.answers = queue.Queue(), queue.Queue()
        instance = self

        class Runtime(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                body = instance.events.get()
                self.send_response(200)
                deadline = int(time.time() * 1000) + 5000
                for name, value in {'Aws-Request-Id': 'test', 'Deadline-Ms': deadline, 'Invoked-Function-Arn': 'arn'}.items():
                    self.send_header('Lambda-Runtime-' + name, str(value))
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                instance.answers.put(FunctionError(body) if self.path.endswith('/error') else body)
                self.send_response(202)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *_):
                pass

        self.runtime = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Runtime)
        self.runtime.daemon_threads = True
        threading.Thread(target=self.runtime.serve_forever, daemon=True).start()
        api = '127.0.0.1:%d' % self.runtime.server_port
        names = {'AWS_LAMBDA_FUNCTION_NAME': 'store', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE': '256', 'AWS_LAMBDA_FUNCTION_VERSION': '1',
                 'AWS_LAMBDA_LOG_GROUP_NAME': 'log', 'AWS_LAMBDA_LOG_STREAM_NAME': 'log'}
        self.log = open(os.environ.get('STORE_LOG', os.devnull), 'ab')
        self.process = subprocess.Popen([program], env={**environment, **names, 'AWS_LAMBDA_RUNTIME_API': api}, stdout=self.log, stderr=self.log)

    def invoke(self, body):
        self.events.put(body)
        end = time.monotonic() + 6
        while True:
            try:
                return self.answers.get(timeout=0.1)
            except queue.Empty:
                if self.process.poll() is not None:
                    raise ConnectionError('the function ended') from None
                if time.monotonic() > end:
                    raise TimeoutError('the function does not answer') from None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.runtime.shutdown()
        self.log.close()


# The Argon2id hashes of the passwords in the cases: the stores only keep them, so any text of the form does.
def phc(password):
    return '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$' + password.encode().hex()



def run_cases(name, store, plain, signs_in):
    """Asks the store all questions. `signs_in(address, password)` tells whether the store's own sign-in takes the password."""
    for case in CASES['cases']:
        bound = {}
        for number, step in enumerate(case['steps']):
            where = '%s: %s (step %d)' % (name, case['fact'], number + 1)
            if 'different' in step:
                assert len({bound[it] for it in step['different']}) == len(step['different']), where
            elif 'signsIn' in step:
                it = step['signsIn']
                assert signs_in(it['address'], it['password']) == it['is'], where
            else:
                answer = ask(store, step['ask'], plain, bound)
                try:
                    compare(step['answer'], answer, bound)
                except AssertionError as error:
                    raise AssertionError('%s: %s; answered %r' % (where, error, answer)) from None
    print('%s: %d facts hold' % (name, len(CASES['cases'])))


def ask(store, question, plain, bound):
    message = {'version': 1}
    for field, value in question.items():
        if field == 'password':
            message.update({'password': value} if plain else {'passwordHash': phc(value)})
        elif field == 'key':
            message[field] = '%064x' % int(value[1:])
        else:
            message[field] = bound[value[1:]] if isinstance(value, str) and value.startswith('$') else value
    try:
        return store.ask(message)
    except FunctionError:
        return 'error'
    except TimeoutError:
        return 'lost'


def answered(store, question, plain):
    """The answer. On a busy machine it may be lost, or be an error; then it is asked for again with the same key, as Regain does."""
    for _ in range(5):
        answer = ask(store, question, plain, {})
        if answer not in ('error', 'lost'):
            break
    return answer


def compare(expected, answer, bound):
    if isinstance(expected, dict):
        assert isinstance(answer, dict), 'no object'
        for field, value in expected.items():
            assert field in answer, 'no ' + field
            compare(value, answer[field], bound)
    elif isinstance(expected, list):
        assert answer in expected, 'none of %s' % expected
    elif isinstance(expected, str) and expected.startswith('$'):
        assert isinstance(answer, str) and 0 < len(answer) <= 64, 'no text of at most 64 characters'
        assert bound.setdefault(expected[1:], answer) == answer, 'another %s' % expected[1:]
    elif isinstance(expected, str) and expected.startswith('!'):
        assert isinstance(answer, str) and answer != bound.get(expected[1:], expected[1:]), 'it is ' + expected[1:]
    else:
        assert answer == expected and type(answer) is type(expected), 'not %r' % (expected,)


def race(store, plain, address, password):
    """Sixteen uses at once of what was found once: one sets its password, and the others are told that the user changed."""
    found = answered(store, {'operation': 'find', 'address': address}, plain)['user']
    def use(number):
        question = {'operation': 'set-password', 'id': found['id'], 'address': address, 'credentialsVersion': found['credentialsVersion'],
                    'key': '#%d' % (1000 + number), 'password': password % number, 'emailProven': True}
        return answered(store, question, plain)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        # First, so many instances start.
        for _ in pool.map(lambda _: answered(store, {'operation': 'find', 'id': found['id']}, plain), range(16)):
            pass
        answers = list(pool.map(use, range(16)))
    outcomes = [it if isinstance(it, str) else it['outcome'] for it in answers]
    assert sorted(outcomes) == ['changed'] * 15 + ['done'], outcomes
    return password % outcomes.index('done')


def same_key(store, plain, address, password):
    """Eight calls at once with one key: all are answered `done`, and the password is set once."""
    found = answered(store, {'operation': 'find', 'address': address}, plain)['user']
    question = {'operation': 'set-password', 'id': found['id'], 'address': address, 'credentialsVersion': found['credentialsVersion'],
                'key': '#2000', 'password': password, 'emailProven': True}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: answered(store, question, plain), range(8)))
    assert [it if isinstance(it, str) else it['outcome'] for it in answers] == ['done'] * 8, answers


def code_of(service, address, than=0):
    """The newest code that was mailed to an address, once there are more mails than so many."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        mails = call(service + '/_mail.json?' + urlencode({'to': address}))[1]
        # The notice of an earlier recovery may come in between.
        for mail in mails[: len(mails) - than]:
            if code := re.search(r'^\d{4,10}$', mail['text'], re.MULTILINE):
                return code[0]
        time.sleep(0.1)
    raise AssertionError('no mail to ' + address)


def prove(service, address):
    """Asks for a code and proves it. Answers the reset token."""
    mails = len(call(service + '/_mail.json?' + urlencode({'to': address}))[1])
    status, started = call(service + '/auth/v1/forgot-password', {'email': address})
    assert status == 200, started
    code = code_of(service, address, mails)
    return call(service + '/auth/v1/forgot-password/verify-otp', {'session_id': started['data'], 'otp': code})


def set_password(service, token, password):
    return call(service + '/auth/v1/forgot-password/set-password', {'token': token, 'password': password})


def recover(service, address, password):
    """A whole recovery by auth/v1. Answers the user's id."""
    status, proven = prove(service, address)
    assert status == 200, proven
    status, done = set_password(service, proven['data'], password)
    assert status == 200, done
    status, again = set_password(service, proven['data'], password)
    assert status == 410, again
    return done['data']


def recover_by_directory(service, address, password):
    """A whole recovery by the Directory API, code and password in one call. Answers the user."""
    mails = len(call(service + '/_mail.json?' + urlencode({'to': address}))[1])
    status, started = call(service + '/directory/api/users/resend', {'email': address})
    assert status == 200, started
    given = {'id': started['data']['id'], 'session': started['data']['session']['id'], 'otp': code_of(service, address, mails), 'password': password}
    status, done = call(service + '/directory/api/users/setPassword', given)
    assert status == 200, done
    return done['data']


class Service:
    """`cargo run -- --user-store URL`, without throttles, until the end of the block."""

    def __init__(self, url, plain=False):
        throttles = {'RESEND_COOLDOWN_SECONDS': '0', 'EMAIL_REQUESTS_PER_HOUR': '0', 'EMAIL_REQUESTS_PER_DAY': '0', 'IP_REQUESTS_PER_HOUR': '0'}
        form = {'USER_STORE_PASSWORD': 'plain' if plain else 'hash'}
        command = ['cargo', 'run', '--quiet', '--locked', '--', '--port', '0', '--quiet', '--user-store', url]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **throttles, **form}, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def __enter__(self):
        for line in self.process.stdout:
            if line.startswith('ready on '):
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return line.split()[-1]
        raise SystemExit('the service did not start')

    def __exit__(self, *_):
        os.killpg(self.process.pid, 15)
        self.process.wait()
