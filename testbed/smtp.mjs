// A mail server of npm smtp-server, for testbed/smtp.go: it takes mail for
// everybody, and misbehaves as told over HTTP. Prints one line of JSON when it
// is ready.
//   node smtp.mjs < options.json    {"cert", "key", "implicit": false, "username", "password"}
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { SMTPServer } from "smtp-server";

const options = JSON.parse(readFileSync(0, "utf8"));
// Each is the code of a refusal at that step, 0 for none, or -1 for silence.
const usual = { connect: 0, from: 0, to: 0, data: 0 };
let mode = { ...usual };
const state = { mails: [], hanging: 0, logins: 0, refusedLogins: 0 };
const waiting = new Set();

function changed() {
  for (const check of waiting) check();
}

// step answers one step as the mode says. The refusal repeats the address, as
// real servers do.
function step(code, address, callback) {
  if (code === -1) {
    state.hanging++;
    changed();
  } else if (code) {
    callback(Object.assign(new Error(`<${address}>: refused, ask ${address.split("@")[0]}`), { responseCode: code }));
  } else callback();
}

const server = new SMTPServer({
  secure: options.implicit,
  ...(options.cert ? { cert: readFileSync(options.cert), key: readFileSync(options.key) } : {}),
  hideSTARTTLS: !options.cert,
  authOptional: !options.username,
  allowInsecureAuth: !options.cert,
  disableReverseLookup: true,
  onConnect: (_, callback) => step(mode.connect, "nobody@nowhere", callback),
  onAuth(auth, session, callback) {
    const right = auth.username === options.username && auth.password === options.password;
    state[right ? "logins" : "refusedLogins"]++;
    callback(right ? null : new Error("wrong"), { user: auth.username });
  },
  onMailFrom: (address, _, callback) => step(mode.from, address.address, callback),
  onRcptTo: (address, _, callback) => step(mode.to, address.address, callback),
  onData(stream, session, callback) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const to = session.envelope.rcptTo.map((r) => r.address);
      step(mode.data, to[0], (err) => {
        if (!err) {
          state.mails.push({
            from: session.envelope.mailFrom.address, to, hello: session.hostNameAppearsAs,
            secure: session.secure, raw: Buffer.concat(chunks).toString("base64"),
          });
        }
        callback(err);
        changed();
      });
    });
  },
});
server.on("error", () => {}); // of one connection: TLS that was refused, a client that went

const control = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (request.method === "POST") {
    let text = "";
    for await (const chunk of request) text += chunk;
    mode = { ...usual, ...JSON.parse(text) };
    response.end("{}");
    return;
  }
  // GET /state?mails=2 waits until there are so many.
  const check = () => {
    if (![...url.searchParams].every(([key, least]) => (state[key].length ?? state[key]) >= Number(least))) return;
    waiting.delete(check);
    if (!response.writableEnded) response.end(JSON.stringify(state));
  };
  waiting.add(check);
  response.on("close", () => waiting.delete(check));
  check();
});

server.listen(0, "127.0.0.1", () => {
  control.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ port: server.server.address().port, control: control.address().port }));
  });
});
