// Makes the lines of vectors.jsonl that Node's libraries make, and those of firebase.jsonl:
//
//     npm install bcryptjs@3.0.3 firebase-scrypt@2.2.0
//     node make.mjs
//
// make.py makes those of Python's. Salts are random, so each run makes other lines.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/`)
const bcrypt = require('bcryptjs')
const { FirebaseScrypt } = require('firebase-scrypt')
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
const config = readFileSync(new URL('hash_config.txt', import.meta.url), 'utf8')
const parameter = (name) => config.match(new RegExp(`${name}: (.*),`))[1]

const unicode = 'pässwörd ☕'
const library = `bcryptjs ${version('bcryptjs')} of Node`
console.log(JSON.stringify({ library, password: unicode, hash: bcrypt.hashSync(unicode, 8) }))

const scrypt = new FirebaseScrypt({
  memCost: Number(parameter('mem_cost')),
  rounds: Number(parameter('rounds')),
  saltSeparator: parameter('base64_salt_separator'),
  signerKey: parameter('base64_signer_key'),
})
for (const password of ['correct horse battery', unicode]) {
  const salt = randomBytes(10).toString('base64')
  const hash = await scrypt.hash(password, salt)
  const library = `firebase-scrypt ${version('firebase-scrypt')} of Node`
  console.log(JSON.stringify({ library, password, hash, salt }))
}
