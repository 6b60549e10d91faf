"""Tests adapters/postgres on a real PostgreSQL: `postgres_store.py PROGRAM HOST PORT ROOTS SECRETS`. See scripts/test-adapters.

The server takes connections by TLS only, with a certificate for `localhost` that ROOTS has signed. SECRETS is an emulator of AWS Secrets Manager."""
import concurrent.futures, json, socket, sys, threading, time
import bcrypt, boto3, psycopg
import user_stores

program, host, port, roots, secrets_url = sys.argv[1:6]
given = {'region_name': 'us-east-1', 'aws_access_key_id': 'test', 'aws_secret_access_key': 'test'}
secrets = boto3.client('secretsmanager', endpoint_url=secrets_url, **given)
root = psycopg.connect('host=%s port=%s dbname=postgres user=root password=root sslmode=require' % (host, port), autocommit=True)
functions = []
PAGE = (user_stores.ROOT / 'docs/user-store-postgres.md').read_text()


def block(title):
    """The block of SQL of that title on the page, so that readers copy what is tested."""
    text = PAGE.split('-- ' + title + '\n')[1]
    return text.split('```')[0].split('\n-- ')[0].strip()


class Table:
    """A database with the table of the page and the users of the cases, and the adapter over it."""

    def __init__(self, name, hash_form, environment=None):
        self.name, self.plain = name, hash_form == 'bcrypt'
        root.execute('CREATE DATABASE ' + name)
        self.owner = psycopg.connect('host=%s port=%s dbname=%s user=root password=root sslmode=require' % (host, port, name), autocommit=True)
        self.owner.execute('CREATE EXTENSION pgcrypto')
        self.owner.execute("""CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL,
            status text NOT NULL DEFAULT 'active', email_verified boolean NOT NULL DEFAULT false, name text, password_hash text);
            CREATE UNIQUE INDEX ON users (lower(email));""")
        self.owner.execute(block('keys'))
        self.owner.execute("CREATE ROLE %s LOGIN PASSWORD 'regain'" % name)
        self.owner.execute(block('rights').replace(' TO regain', ' TO ' + name))
        secret = secrets.create_secret(Name=name, SecretString=json.dumps({'username': name, 'password': 'regain', 'engine': 'postgres'}))['ARN']
        self.environment = {'DATABASE_URL': 'postgres://%s:%s/%s' % (host, port, name), 'DATABASE_SECRET_ARN': secret, 'DATABASE_ROOTS': roots,
                            'AWS_ENDPOINT_URL_SECRETS_MANAGER': secrets_url, 'PASSWORD_HASH': hash_form, 'BCRYPT_COST': '10',
                            'FIND_SQL': block('find'), 'SET_SQL': block('set'), 'EMAIL_PROVEN_SQL': block('email-proven'), **(environment or {})}
        self.store = self.adapter()
        for user in user_stores.CASES['users']:
            self.add(**user)

    def adapter(self, **changes):
        store = user_stores.Function(program, {**self.environment, **changes})
        functions.append(store)
        return store

    def add(self, address, password, status='active', emailVerified=True):
        """With a hash of bcrypt that Python has made; that of an Argon2 library for the other form."""
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode() if self.plain else user_stores.phc(password)
        self.owner.execute('INSERT INTO users (email, status, email_verified, password_hash) VALUES (%s, %s, %s, %s)', (address, status, emailVerified, hashed))

    def kept(self, address):
        return self.owner.execute('SELECT password_hash FROM users WHERE lower(email) = %s', (address,)).fetchone()[0]

    def signs_in(self, address, password):
        """By Python's bcrypt, and by that of PostgreSQL's own pgcrypto, which reads $2a$ only."""
        kept = self.kept(address)
        if not self.plain:
            return kept == user_stores.phc(password)
        taken = bcrypt.checkpw(password.encode(), kept.encode())
        older = '$2a$' + kept[4:]
        assert taken == self.owner.execute('SELECT crypt(%s, %s) = %s', (password, older, older)).fetchone()[0]
        return taken

    def find(self, address, store=None):
        return user_stores.ask(store or self.store, {'operation': 'find', 'address': address}, self.plain, {})

    def set(self, found, key, password, store=None):
        question = {'operation': 'set-password', 'id': found['id'], 'address': found['email'].lower(), 'credentialsVersion': found['credentialsVersion'],
                    'key': key, 'password': password, 'emailProven': True}
        return user_stores.ask(store or self.store, question, self.plain, {})


def conform(table):
    user_stores.run_cases('postgres with ' + table.name, table.store, table.plain, table.signs_in)
    table.add('raced@example.com', 'Raced-first-password-1')
    winner = user_stores.race(table.store, table.plain, 'raced@example.com', 'Raced-password-%02d-of-many')
    assert table.signs_in('raced@example.com', winner)
    user_stores.same_key(table.store, table.plain, 'raced@example.com', 'Same-password-of-a-key-1')
    assert table.signs_in('raced@example.com', 'Same-password-of-a-key-1')


def hashes(table):
    """Long passwords, prefixes, and the two settings that do not fit together."""
    table.add('Long@Example.com', 'Longs-first-password-1')
    found = table.find('long@example.com')['user']
    assert found['email'] == 'Long@Example.com'
    assert table.set(found, '#1', 'x' * 73) == {'outcome': 'refused', 'reasons': ['too_long']}
    for number, prefix in enumerate(['2a', '2b', '2y']):
        found = table.find('long@example.com')['user']
        password = 'x' * 70 + prefix
        assert table.set(found, '#2%d' % number, password, table.adapter(BCRYPT_PREFIX=prefix))['outcome'] == 'done'
        assert table.kept('long@example.com').startswith('$%s$10$' % prefix) and table.signs_in('long@example.com', password)
    assert table.set(table.find('long@example.com')['user'], '#3', 'a password', table.adapter(PASSWORD_HASH='argon2id')) == 'error'
    print('postgres: hashes are as other languages read them')


def breaks(table):
    """Connections that break, statements that hang, keys that are old, and statements that are wrong."""
    found = table.find('ana@example.com')['user']
    for _ in range(3):
        root.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (table.name,))
        assert table.find('ana@example.com')['user'] == found
    # A lock that somebody holds is waited for, but not for long. Nothing is done then.
    with psycopg.connect(table.owner.info.dsn + ' password=root') as other:
        other.execute('SELECT 1 FROM users WHERE id = %s FOR UPDATE', (found['id'],))
        assert table.set(found, '#30', 'Anas-locked-password-1') == 'error'
    assert not table.signs_in('ana@example.com', 'Anas-locked-password-1')
    assert table.set(found, '#30', 'Anas-locked-password-1')['outcome'] == 'done'
    # A secret that was rotated is fetched again.
    table.owner.execute("ALTER ROLE %s PASSWORD 'rotated'" % table.name)
    secrets.put_secret_value(SecretId=table.name, SecretString=json.dumps({'username': table.name, 'password': 'rotated'}))
    root.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (table.name,))
    assert table.find('ana@example.com')['user']['id'] == found['id']
    # Keys are forgotten after a day.
    table.owner.execute("UPDATE regain_keys SET at = now() - interval '25 hours'")
    table.set(table.find('ana@example.com')['user'], '#31', 'Anas-later-password-1')
    assert table.owner.execute("SELECT count(*) FROM regain_keys WHERE at > now() - interval '24 hours'").fetchone()[0] == 1
    # A wrong statement changes nothing.
    found, kept = table.find('ana@example.com')['user'], table.kept('ana@example.com')
    for wrong in ['UPDATE users SET password_hash = $1 WHERE $2 || $3 || $4 IS NOT NULL', 'UPDATE users SET name = $1 WHERE id = $2::bigint AND $3 || $4 IS NOT NULL']:
        assert table.set(found, '#32', 'Anas-wrong-password-1', table.adapter(SET_SQL=wrong)) == 'error'
        assert table.kept('ana@example.com') == kept
    print('postgres: broken connections are made anew, and what cannot be done changes nothing')


class Wire:
    """Passes connections to the server on. It can keep the server's answers back, and break."""

    def __init__(self):
        self.listener, self.sockets, self.is_deaf, self.is_closed = socket.create_server(('127.0.0.1', 0)), [], False, False
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, far = self.listener.accept()[0], socket.create_connection((host, port))
            if self.is_closed:
                near.close(), far.close()
                continue
            self.sockets += [near, far]
            threading.Thread(target=self.carry, args=(near, far, lambda: False), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, lambda: self.is_deaf), daemon=True).start()

    def carry(self, source, to, is_lost):
        try:
            while data := source.recv(65536):
                if not is_lost():
                    to.sendall(data)
        except OSError:
            pass  # broken on purpose

    def cut(self):
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            one.close()
        self.sockets, self.is_deaf = [], False


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, 'it does not come to that'
        time.sleep(0.01)


def lost_commits(table):
    """The answer to a commit is lost, once and for good. Whoever asks again with the same key is answered, and nothing changes."""
    wire, address = Wire(), 'ana@example.com'
    store = table.adapter(DATABASE_URL='postgres://%s:%d/%s' % (host, wire.port, table.name))
    # A commit takes so long that the test can act meanwhile.
    table.owner.execute("""CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.1); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON regain_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()""")
    committing = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active' AND query = 'COMMIT'"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for number, for_good in enumerate([False, True]):
            found, before, password = table.find(address, store)['user'], table.kept(address), 'Anas-lost-password-%d' % number
            asked = pool.submit(table.set, found, '#4%d' % number, password, store)
            until(lambda: root.execute(committing, (table.name,)).fetchone()[0] == 1)
            wire.is_deaf, wire.is_closed = True, for_good
            until(lambda: table.kept(address) != before)
            wire.cut()
            answer = asked.result()
            after = table.find(address)['user']
            # The store asks the database itself whether it took place. If nobody can be asked, it does not answer.
            assert answer == ('lost' if for_good else {'outcome': 'done', 'user': after}), answer
            wire.is_closed = False
            kept = table.kept(address)
            assert table.signs_in(address, password) and after['credentialsVersion'] != found['credentialsVersion']
            assert table.set(found, '#4%d' % number, password, store) == {'outcome': 'done', 'user': after}
            assert table.kept(address) == kept, 'set twice'
    table.owner.execute('DROP TRIGGER slow ON regain_keys')
    print('postgres: a commit whose answer is lost took place once')


def trust(table):
    """The server's certificate and name have to be right, and nothing is sent in clear over a network."""
    assert table.find('ana@example.com', table.adapter(DATABASE_ROOTS=open(roots).read())) != 'error'
    other = table.environment['DATABASE_URL'].replace(host, '127.0.0.1')
    assert table.find('ana@example.com', table.adapter(DATABASE_URL=other)) == 'error', 'another name'
    assert table.find('ana@example.com', table.adapter(DATABASE_ROOTS='')) == 'error', 'other roots'
    for wrong in [{'DATABASE_TLS': 'off', 'DATABASE_URL': 'postgres://db.example.com/x'}, {'DATABASE_TLS': 'prefer'}, {'FIND_SQL': ''}, {'KEYS_TABLE': 'a b'}]:
        try:
            table.find('ana@example.com', table.adapter(**wrong))
            raise AssertionError('it started with %r' % wrong)
        except ConnectionError:
            pass
    print('postgres: no server is trusted that has not the right name and root')


def recoveries(table):
    address = 'ana@example.com'
    with user_stores.Service(table.store.url, plain=table.plain) as service:
        for password in ['Anas-new-password-22', 'Anas-new-password-33']:
            user_stores.recover(service, address, password)
            kept = table.kept(address)
            assert table.signs_in(address, password) if table.plain else kept.startswith('$argon2id$v=19$'), kept
        user_stores.recover_by_directory(service, 'raced@example.com', 'Another-new-password-4')
        status, refused = user_stores.prove(service, 'bob@example.com')
        assert (status, refused['error']) == (403, 'user_blocked'), refused
    print('postgres with %s: recoveries work' % table.name)


try:
    tables = [Table('argon2id', 'argon2id'), Table('bcrypt', 'bcrypt')]
    for table in tables:
        conform(table)
    hashes(tables[1])
    breaks(tables[1])
    lost_commits(tables[1])
    trust(tables[1])
    if '--alone' not in sys.argv:
        for table in tables:
            recoveries(table)
finally:
    for function in functions:
        function.end()
