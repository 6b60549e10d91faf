"""A user store for Regain: users in SQLite. docs/user-store.md explains it.

`python3 store.py [FILE]` serves it at http://127.0.0.1:4000 for `cargo run -- --user-store`. On AWS, `store.handler` is the function's
handler; there, put the driver of your database in place of sqlite3, whose file would not outlive the instance.
"""
import hashlib, json, os, secrets, sqlite3, sys, time
from wsgiref.simple_server import WSGIServer, make_server

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, address TEXT UNIQUE NOT NULL, email TEXT NOT NULL, status TEXT DEFAULT 'active',
    version INTEGER DEFAULT 1, verified INTEGER DEFAULT 0, factor_due INTEGER DEFAULT 0, password_hash TEXT);
CREATE TABLE IF NOT EXISTS passwords (user_id TEXT, hash TEXT, at REAL);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, at REAL);"""
DAY, HISTORY = 86400, 5

def scrypt(password, salt):
    return salt + "$" + hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=16384, r=8, p=1).hex()

def is_reused(db, user, password):
    last = db.execute("SELECT hash FROM passwords WHERE user_id = ? ORDER BY at DESC LIMIT ?", (user["id"], HISTORY)).fetchall()
    return any(secrets.compare_digest(row["hash"], scrypt(password, row["hash"].split("$")[0])) for row in last)

def shown(user):
    return {"id": user["id"], "email": user["email"], "status": user["status"], "credentialsVersion": str(user["version"]),
            "emailVerified": bool(user["verified"])}

def find(db, ask):
    by, value = ("address", ask["address"]) if "address" in ask else ("id", ask["id"])
    user = db.execute(f"SELECT * FROM users WHERE {by} = ?", (value,)).fetchone()
    return {"user": user and shown(user)}

def set_password(db, ask):
    by_id = "SELECT * FROM users WHERE id = ?"
    user = db.execute(by_id, (ask["id"],)).fetchone()
    db.execute("DELETE FROM keys WHERE at < ?", (time.time() - DAY,))
    if user and db.execute("SELECT 1 FROM keys WHERE key = ?", (ask["key"],)).fetchone():
        return {"outcome": "done", "user": shown(user)}  # asked before, and done
    if not user or user["address"] != ask["address"] or str(user["version"]) != ask["credentialsVersion"]:
        return {"outcome": "changed"}
    if user["status"] != "active" or user["factor_due"]:  # factor_due: your app asks for a second factor first
        return {"outcome": "blocked"}
    password = ask.get("password")  # in clear only with USER_STORE_PASSWORD=plain, which a history needs
    if password is not None and is_reused(db, user, password):
        return {"outcome": "refused", "reasons": ["reused"]}
    password_hash = ask["passwordHash"] if password is None else scrypt(password, secrets.token_hex(16))
    db.execute("UPDATE users SET password_hash = ?, version = version + 1, verified = 1 WHERE id = ?", (password_hash, user["id"]))
    if password is not None:
        db.execute("INSERT INTO passwords VALUES (?, ?, ?)", (user["id"], password_hash, time.time()))
    db.execute("INSERT INTO keys VALUES (?, ?)", (ask["key"], time.time()))
    return {"outcome": "done", "user": shown(db.execute(by_id, (ask["id"],)).fetchone())}

def email_proven(db, ask):
    db.execute("UPDATE users SET verified = 1 WHERE id = ? AND address = ?", (ask["id"], ask["address"]))
    user = db.execute("SELECT * FROM users WHERE id = ? AND address = ?", (ask["id"], ask["address"])).fetchone()
    return {"outcome": "done", "credentialsVersion": str(user["version"])} if user else {"outcome": "changed"}

def handler(ask, context=None):
    db = sqlite3.connect(os.environ.get("USERS", "users.db"), timeout=2, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.executescript(SCHEMA)
    try:
        db.execute("BEGIN IMMEDIATE")  # one transaction, and only one at a time
        answer = {"find": find, "set-password": set_password, "email-proven": email_proven}[ask["operation"]](db, ask)
        db.execute("COMMIT")
        return answer
    finally:
        db.close()  # an error rolls back, and is a function error

def serve(environ, start_response):
    answer = handler(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]

if __name__ == "__main__":
    os.environ["USERS"] = sys.argv[1] if len(sys.argv) > 1 else "users.db"
    WSGIServer.request_queue_size = 128
    make_server("127.0.0.1", int(os.environ.get("PORT", "4000")), serve).serve_forever()
