// guacamole-lite as its documentation starts it, as a role of the benchmark:
// it reads one line of JSON, answers with where it listens, and ends when
// standard input does.
'use strict';

const { randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const readline = require('node:readline');
const GuacamoleLite = require('guacamole-lite');
const Crypt = require('guacamole-lite/lib/Crypt.js');

// The library reports every connection on standard output, which is for the answer.
console.log = () => {};

readline.createInterface({ input: process.stdin })
  .once('line', (line) => serve(JSON.parse(line)))
  .once('close', () => process.exit(0));

function serve(work) {
  const server = work.Identity
    ? https.createServer({ cert: readFileSync(work.Identity.Cert), key: readFileSync(work.Identity.Key) })
    : http.createServer();
  const crypt = { cypher: 'AES-256-CBC', key: randomBytes(16).toString('hex') };
  const [host, port] = work.Guacd.split(':');
  // The limit on people who do nothing is off: an idle desktop is to stay.
  new GuacamoleLite({ server }, { host, port: Number(port) }, { crypt, log: { level: 0 }, maxInactivityTime: 0 });
  const token = new Crypt(crypt.cypher, crypt.key).encrypt({
    connection: { type: 'rdp', settings: { hostname: '192.0.2.1', port: '3389' } },
  });
  server.listen(0, '127.0.0.1', () => {
    const Address = `127.0.0.1:${server.address().port}`;
    process.stdout.write(JSON.stringify({ Address, Query: `token=${encodeURIComponent(token)}` }) + '\n');
  });
}
