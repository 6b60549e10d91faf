// A user store for Regain: users in SQLite. docs/user-store.md explains it. It needs Node.js 22.13 or later, and nothing else.
//
// `node store.mjs [FILE]` serves it at http://127.0.0.1:4000 for `cargo run -- --user-store`. On AWS, `store.handler` is the function's
// handler; there, put the driver of your database in place of node:sqlite, whose file would not outlive the instance.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const DAY = 86_400_000;
const SCHEMA = `
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, address TEXT UNIQUE NOT NULL, email TEXT NOT NULL, status TEXT DEFAULT 'active',
    version INTEGER DEFAULT 1, verified INTEGER DEFAULT 0, password_hash TEXT);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, at INTEGER);`;

const shown = (user) => ({
  id: user.id,
  email: user.email,
  status: user.status,
  credentialsVersion: String(user.version),
  emailVerified: Boolean(user.verified),
});

const byId = (db, id) => db.prepare('SELECT * FROM users WHERE id = ?').get(id);

const operations = {
  find(db, ask) {
    const user = ask.id ? byId(db, ask.id) : db.prepare('SELECT * FROM users WHERE address = ?').get(ask.address);
    return { user: user ? shown(user) : null };
  },

  'set-password'(db, ask) {
    db.prepare('DELETE FROM keys WHERE at < ?').run(Date.now() - DAY);
    const user = byId(db, ask.id);
    if (user && db.prepare('SELECT 1 FROM keys WHERE key = ?').get(ask.key)) {
      return { outcome: 'done', user: shown(user) }; // asked before, and done
    }
    if (user?.address !== ask.address || String(user.version) !== ask.credentialsVersion) return { outcome: 'changed' };
    if (user.status !== 'active') return { outcome: 'blocked' };
    if (!ask.passwordHash) throw new Error('this store takes hashes: leave USER_STORE_PASSWORD at hash');
    db.prepare('UPDATE users SET password_hash = ?, version = version + 1, verified = 1 WHERE id = ?').run(ask.passwordHash, ask.id);
    db.prepare('INSERT INTO keys VALUES (?, ?)').run(ask.key, Date.now());
    return { outcome: 'done', user: shown(byId(db, ask.id)) };
  },

  'email-proven'(db, ask) {
    db.prepare('UPDATE users SET verified = 1 WHERE id = ? AND address = ?').run(ask.id, ask.address);
    const user = byId(db, ask.id);
    return user?.address === ask.address ? { outcome: 'done', credentialsVersion: String(user.version) } : { outcome: 'changed' };
  },
};

export async function handler(ask) {
  const db = new DatabaseSync(process.env.USERS ?? 'users.db');
  try {
    db.exec(`PRAGMA busy_timeout = 2000; ${SCHEMA} BEGIN IMMEDIATE;`); // one transaction, and only one at a time
    const answer = operations[ask.operation](db, ask);
    db.exec('COMMIT');
    return answer;
  } finally {
    db.close(); // an error rolls back, and is a function error
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.env.USERS = process.argv[2] ?? 'users.db';
  const server = createServer(async (request, response) => {
    const answered = await text(request).then(JSON.parse).then(handler).catch((error) => console.error(error));
    response.writeHead(answered ? 200 : 500).end(JSON.stringify(answered ?? { message: 'the user store failed' }));
  });
  server.listen(process.env.PORT ?? 4000, '127.0.0.1');
}
