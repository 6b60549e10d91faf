"""Makes the lines of vectors.jsonl that Python's libraries make:

    pip install bcrypt==5.0.0 argon2-cffi==25.1.0 django==5.2.19 passlib==1.7.4
    python3 make.py

make.mjs makes those of Node's. The lines of Spring Security are from its own tests. Salts are random, so each run makes other lines.
"""

import hashlib
import json
import os
import platform
from base64 import b64encode
from importlib.metadata import version as version_of

import argon2
import bcrypt
import django
import passlib
from django.conf import settings
from django.contrib.auth import hashers
from passlib.hash import pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt

settings.configure()
PLAIN = "correct horse battery"
UNICODE = "pässwörd ☕"
LONG = "a passphrase of more than seventy-two octets, of which bcrypt takes the first ones alone"
PYTHON = f"hashlib of Python {platform.python_version()}"


def line(library, password, made):
    print(json.dumps({"library": library, "password": password, "hash": made}, ensure_ascii=False))


def base64(octets):
    return b64encode(octets).decode().rstrip("=")


for version, password, cost in [(b"2a", PLAIN, 4), (b"2b", UNICODE, 10), (b"2b", LONG.encode()[:72].decode(), 4)]:
    made = bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, version))
    line(f"bcrypt {bcrypt.__version__} of Python", password, made.decode())
salt = bcrypt.gensalt(5).replace(b"$2b$", b"$2y$")
line(f"bcrypt {bcrypt.__version__} of Python", UNICODE, bcrypt.hashpw(UNICODE.encode(), salt).decode())

for kind in argon2.Type:
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=1024, parallelism=2, type=kind)
    line(f"argon2-cffi {version_of('argon2-cffi')}", UNICODE, hasher.hash(UNICODE))

for hasher, password in [
    (hashers.PBKDF2PasswordHasher(), PLAIN),
    (hashers.PBKDF2SHA1PasswordHasher(), UNICODE),
    (hashers.Argon2PasswordHasher(), PLAIN),
    (hashers.BCryptSHA256PasswordHasher(), LONG),
    (hashers.BCryptPasswordHasher(), PLAIN),
    (hashers.ScryptPasswordHasher(), UNICODE),
]:
    # Fewer iterations than Django's million, for the sake of the tests' time.
    hasher.iterations = 20_000
    line(f"Django {django.__version__}", password, hasher.encode(password, hasher.salt()))

for hasher in [pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt]:
    line(f"passlib {passlib.__version__}", UNICODE, hasher.hash(UNICODE))

for digest, length in [("sha1", 20), ("sha256", 32), ("sha512", 64), ("sha256", 48)]:
    salt = os.urandom(16)
    made = hashlib.pbkdf2_hmac(digest, UNICODE.encode(), salt, 12_345, length)
    line(PYTHON, UNICODE, f"$pbkdf2-{digest}$i=12345,l={length}${base64(salt)}${base64(made)}")
for ln, r, p in [(10, 8, 1), (14, 8, 5), (4, 1, 16)]:
    salt = os.urandom(16)
    made = hashlib.scrypt(PLAIN.encode(), salt=salt, n=2**ln, r=r, p=p, maxmem=2**26, dklen=32)
    line(PYTHON, PLAIN, f"$scrypt$ln={ln},r={r},p={p}${base64(salt)}${base64(made)}")

# The encoders that Spring Security has had since 5.8, by their documented costs and layouts.
SPRING = f"{PYTHON}, as Spring Security 5.8 lays it out"
salt = os.urandom(16)
made = hashlib.pbkdf2_hmac("sha256", UNICODE.encode(), salt, 310_000, 32)
line(SPRING, UNICODE, "{pbkdf2@SpringSecurity_v5_8}" + (salt + made).hex())
made = hashlib.scrypt(UNICODE.encode(), salt=salt, n=2**16, r=8, p=1, maxmem=2**27, dklen=32)
line(SPRING, UNICODE, "{scrypt@SpringSecurity_v5_8}$100801$" + f"{b64encode(salt).decode()}${b64encode(made).decode()}")
