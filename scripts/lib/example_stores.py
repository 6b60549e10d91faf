"""Tests the stores in examples/user-store: `example_stores.py NODE`, where NODE is a Node.js with node:sqlite. See scripts/test-user-stores."""
import json, os, pathlib, re, shutil, socket, sqlite3, subprocess, sys, tempfile, time
import user_stores
from free_port import free_port

sys.dont_write_bytecode = True
node = sys.argv[1]
FOLDER = user_stores.ROOT / 'examples/user-store'
sys.path.insert(0, str(FOLDER))
import store as python_store


class Example:
    """One example, serving a database of its own with the users of the cases."""

    def __init__(self, command, file):
        self.command, self.port, self.file = [*command, file], free_port(), file
        self.store = user_stores.HttpStore('http://127.0.0.1:%d/' % self.port)
        self.start()
        self.seed()

    def start(self):
        self.process = subprocess.Popen(self.command, env={**os.environ, 'PORT': str(self.port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                self.store.ask({'version': 1, 'operation': 'find', 'address': 'nobody@example.com'})
                break
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, 'the example does not start'
                time.sleep(0.05)

    def seed(self):
        db = sqlite3.connect(self.file)
        with db:
            db.execute('DELETE FROM users')
            db.execute('DELETE FROM keys')
            for number, user in enumerate(user_stores.CASES['users']):
                db.execute('INSERT INTO users (id, address, email, status, verified, password_hash) VALUES (?, ?, ?, ?, ?, ?)',
                           ('u%d' % number, user['address'], user['address'], user['status'], user['emailVerified'], self.first_hash(user['password'])))
        db.close()

    def first_hash(self, password):
        return user_stores.phc(password)

    def stored(self, address):
        db = sqlite3.connect(self.file)
        stored = db.execute('SELECT password_hash, version FROM users WHERE address = ?', (address,)).fetchone()
        db.close()
        return stored

    def signs_in(self, address, password):
        """Hashes that the examples make themselves, of passwords in clear, are scrypt. Others are only kept."""
        kept = self.stored(address)[0]
        return kept == (user_stores.phc(password) if kept.startswith('$argon2') else python_store.scrypt(password, kept.split('$')[0]))

    def set_column(self, address, column, value):
        self.change('UPDATE users SET %s = ? WHERE address = ?' % column, value, address)

    def change(self, statement, *given):
        db = sqlite3.connect(self.file)
        with db:
            db.execute(statement, given)
        db.close()

    def killed(self, message, when):
        """Sends a message, and kills the store as soon as `when` holds. Nobody reads an answer."""
        body = json.dumps(message).encode()
        with socket.create_connection(('127.0.0.1', self.port)) as asking:
            asking.sendall(b'POST / HTTP/1.1\r\nHost: store\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
            end = time.monotonic() + 10
            while not when():
                assert time.monotonic() < end, 'it does not come to that'
                time.sleep(0.01)
            self.end()
        self.start()

    def end(self):
        self.process.kill()
        self.process.wait()


def conform(name, example, plain):
    user_stores.run_cases(name, example.store, plain, example.signs_in)
    example.seed()
    winner = user_stores.race(example.store, plain, 'ana@example.com', 'Raced-password-%02d-of-many')
    assert example.signs_in('ana@example.com', winner)
    user_stores.same_key(example.store, plain, 'ana@example.com', 'Same-password-of-a-key-1')
    # Once for each user's row above, so two versions later than the first.
    assert example.stored('ana@example.com')[1] == 3, example.stored('ana@example.com')
    example.seed()


def deaths(name, example):
    """A store that is killed within its transaction has done nothing; one that is killed before it answers has done it once."""
    address, password = 'ana@example.com', 'a password of a killed store'
    before = example.stored(address)
    found = example.store.ask({'version': 1, 'operation': 'find', 'address': address})['user']
    message = {'version': 1, 'operation': 'set-password', 'id': found['id'], 'address': address, 'credentialsVersion': found['credentialsVersion'],
               'key': '%064x' % 3000, 'passwordHash': user_stores.phc(password), 'emailProven': True}
    # A trigger that takes longer than the test makes time for that, and SQLite's journal shows that something is written.
    example.change('CREATE TABLE many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n')
    example.change('CREATE TRIGGER slow AFTER UPDATE ON users BEGIN SELECT count(*) FROM many a, many b, many c; END')
    example.killed(message, pathlib.Path(example.file + '-journal').exists)
    assert example.stored(address) == before, example.stored(address)
    example.change('DROP TRIGGER slow')
    example.change('DROP TABLE many')
    example.killed(message, lambda: example.stored(address) != before)
    after = example.stored(address)
    assert after == (user_stores.phc(password), before[1] + 1), after
    # Whoever asks again with the same key is answered, and nothing changes, even with another hash of the same password.
    answer = example.store.ask({**message, 'passwordHash': user_stores.phc('the same with another salt')})
    assert answer['outcome'] == 'done' and answer['user']['credentialsVersion'] == str(after[1]), answer
    assert example.stored(address) == after, example.stored(address)
    example.seed()
    print('%s: what a kill leaves is nothing or all' % name)


def recoveries(name, example):
    """Whole recoveries through the running service. The service makes real hashes, which the store keeps."""
    with user_stores.Service(example.store.url) as service:
        assert user_stores.recover(service, 'noa@example.com', 'a new password for Noa 1') == 'u1'
        kept, version = example.stored('noa@example.com')
        assert re.match(r'\$argon2id\$v=19\$', kept) and version == 2, (kept, version)
        shown = user_stores.recover_by_directory(service, 'ana@example.com', 'a new password for Ana 1')
        assert (shown['id'], shown['email'], shown['isEmailValidate']) == ('u0', 'ana@example.com', True), shown
        status, refused = user_stores.prove(service, 'bob@example.com')
        assert (status, refused['error']) == (403, 'user_blocked'), refused
    print('%s: recoveries work' % name)


def vetoes(example):
    """A password history, and a second factor that comes first."""
    address = 'ana@example.com'
    with user_stores.Service(example.store.url, plain=True) as service:
        user_stores.recover(service, address, 'the first new password 1')
        user_stores.recover(service, address, 'the second new password 2')
        token = user_stores.prove(service, address)[1]['data']
        status, refused = user_stores.set_password(service, token, 'the first new password 1')
        assert (status, refused['error'], refused['reasons']) == (422, 'password_rejected', ['reused']), refused
        # The proof is still good.
        status, done = user_stores.set_password(service, token, 'the third new password 3')
        assert status == 200, done
        assert example.signs_in(address, 'the third new password 3')
        example.set_column(address, 'factor_due', 1)
        token = user_stores.prove(service, address)[1]['data']
        status, refused = user_stores.set_password(service, token, 'the fourth new password 4')
        assert (status, refused['error']) == (403, 'user_blocked'), refused
        assert example.signs_in(address, 'the third new password 3')
    print('store.py: vetoes reach the caller')


def handlers(file):
    """The same files as Lambda functions."""
    question = {'version': 1, 'operation': 'find', 'address': 'ana@example.com'}
    environment = {**os.environ, 'USERS': file}
    programs = {
        'store.py': [sys.executable, '-Bc', 'import json, store; print(json.dumps(store.handler(%r, None)))' % question],
        'store.mjs': [node, '--input-type=module', '-e', "import { handler } from './store.mjs'; console.log(JSON.stringify(await handler(%s)))" % json.dumps(question)],
    }
    for name, command in programs.items():
        answer = json.loads(subprocess.run(command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
        assert answer['user']['id'] == 'u0', answer
    print('both handlers answer')


for name in ['store.py', 'store.mjs']:
    lines = len((FOLDER / name).read_text().splitlines())
    assert lines < 80, '%s has %d lines' % (name, lines)
work = pathlib.Path(tempfile.mkdtemp())
examples = []
try:
    for name, command in [('store.py', [sys.executable, '-B', str(FOLDER / 'store.py')]), ('store.mjs', [node, str(FOLDER / 'store.mjs')])]:
        example = Example(command, str(work / (name + '.db')))
        examples.append(example)
        conform(name, example, False)
        deaths(name, example)
        if name == 'store.py':
            conform(name + ' with passwords in clear', example, True)
        if '--alone' not in sys.argv:
            recoveries(name, example)
    handlers(examples[0].file)
    if '--alone' not in sys.argv:
        vetoes(examples[0])
finally:
    for example in examples:
        example.end()
    shutil.rmtree(work)
