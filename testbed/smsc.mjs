// An SMSC of npm smpp, for testbed/smsc.go: it takes binds and messages, and
// misbehaves as told over HTTP. Prints one line of JSON when it is ready.
//   node smsc.mjs < options.json    {"cert": "", "key": "", "systemID": "", "password": ""}
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import smpp from "smpp";

const options = JSON.parse(readFileSync(0, "utf8"));
const usual = {
  bind: 0, // status of the answer; -1: none at all; -2: status 14, as a bare header
  submit: 0, // status of the answer; -1: none until mode says otherwise
  submitBare: false, // a refusal is a bare header
  nack: false, // refuse with generic_nack
  delay: 0, // ms before the answer
  enquire: true, // answer enquire_link
  receipts: [], // [{stat, err, when: "before" | "after" | ms}]
  form: "both", // "text", "tlv" or "both"
  receiptIDs: "same", // "decimal": the answer's id is hexadecimal, the receipt's decimal
};
let mode = { ...usual };
let next = 0x1a2b0000 + Math.floor(Math.random() * 0xffff);
const state = { messages: [], binds: 0, refusedBinds: 0, most: 0, receiptAnswers: [], enquiries: 0, unbinds: 0 };
const sessions = new Set();
const parts = new Map(); // of long messages, by address and reference
const waiting = new Set(); // of who asks over HTTP
const unanswered = []; // of mode submit -1

function changed() {
  for (const check of waiting) check();
}

function onBind(session, pdu) {
  if (mode.bind === -1) return;
  if (mode.bind === -2) {
    const bare = Buffer.alloc(16);
    [16, 0x80000009, 14, pdu.sequence_number].forEach((n, i) => bare.writeUInt32BE(n, 4 * i));
    session.socket.write(bare);
    return;
  }
  let status = mode.bind;
  if (pdu.system_id !== options.systemID || pdu.password !== options.password) status = smpp.ESME_RINVPASWD;
  if (status) {
    state.refusedBinds++;
    session.send(pdu.response({ command_status: status }));
  } else {
    state.binds++;
    sessions.add(session);
    session.send(pdu.response({ system_id: "testbed" }));
  }
  changed();
}

function onSubmit(session, pdu) {
  session.open = (session.open ?? 0) + 1;
  state.most = Math.max(state.most, session.open);
  const number = next++;
  const id = mode.receiptIDs === "decimal" ? number.toString(16).toUpperCase() : String(number);
  const now = mode;
  const answer = () => {
    session.open--;
    const status = now.submit > 0 ? now.submit : 0;
    if (!status) take(pdu, id);
    const receipts = status || !pdu.registered_delivery ? [] : now.receipts;
    for (const r of receipts) if (r.when === "before") receipt(session, pdu, number, r, now);
    if (now.nack) session.generic_nack({ command_status: status, sequence_number: pdu.sequence_number });
    else if (status && now.submitBare) {
      const bare = Buffer.alloc(16);
      [16, 0x80000004, status, pdu.sequence_number].forEach((n, i) => bare.writeUInt32BE(n, 4 * i));
      session.socket.write(bare);
    } else session.send(pdu.response({ command_status: status, message_id: status ? "" : id }));
    for (const r of receipts) {
      if (r.when === "before") continue;
      setTimeout(() => receipt(session, pdu, number, r, now), r.when === "after" ? 0 : r.when);
    }
    changed();
  };
  if (now.submit === -1) {
    unanswered.push(answer);
    changed();
  } else setTimeout(answer, now.delay);
}

// take keeps a message, joined where it came in parts.
function take(pdu, id) {
  const message = {
    id, parts: 1, ids: [id], text: pdu.short_message.message, from: pdu.source_addr, to: pdu.destination_addr,
    fromType: `${pdu.source_addr_ton}/${pdu.source_addr_npi}`, toType: `${pdu.dest_addr_ton}/${pdu.dest_addr_npi}`,
    coding: pdu.data_coding, registered: pdu.registered_delivery, serviceType: pdu.service_type, esmClass: pdu.esm_class,
  };
  const join = pdu.short_message.udh?.find((e) => e[0] === 0 && e.length === 5);
  if (!join) {
    state.messages.push(message);
    return;
  }
  const [, , reference, total, number] = join;
  const key = `${pdu.destination_addr} ${reference}`;
  const got = parts.get(key) ?? [];
  parts.set(key, got);
  got[number - 1] = message;
  if (got.filter(Boolean).length < total) return;
  parts.delete(key);
  state.messages.push({ ...got[0], parts: total, ids: got.map((p) => p.id), text: got.map((p) => p.text).join("") });
}

function receipt(session, pdu, number, { stat, err = "000" }, now) {
  const states = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };
  const id = String(number);
  // It ends in the start of the message (SMPP 3.4, appendix B), and so in its code.
  const said = String(pdu.short_message.message).slice(0, 20);
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611220700 done date:2611220701 stat:${stat} err:${err} text:${said}`;
  const deliver = {
    esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
    short_message: now.form === "tlv" ? "" : text,
  };
  if (now.form !== "text") Object.assign(deliver, { receipted_message_id: id, message_state: states[stat] });
  const to = sessions.has(session) ? session : [...sessions][0];
  to?.deliver_sm(deliver, (answer) => {
    state.receiptAnswers.push(answer.command_status);
    changed();
  });
}

const server = smpp.createServer(
  options.cert ? { cert: readFileSync(options.cert), key: readFileSync(options.key) } : {},
  (session) => {
    session.on("error", () => session.destroy());
    session.on("close", () => {
      sessions.delete(session);
      changed();
    });
    session.on("bind_transceiver", (pdu) => onBind(session, pdu));
    session.on("submit_sm", (pdu) => onSubmit(session, pdu));
    session.on("enquire_link", (pdu) => {
      state.enquiries++;
      if (mode.enquire) session.send(pdu.response());
      changed();
    });
    session.on("unbind", (pdu) => {
      state.unbinds++;
      session.send(pdu.response());
      session.close();
      changed();
    });
  },
);

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

const acts = {
  async mode(request) {
    mode = { ...usual, ...(await body(request)) };
    if (mode.submit !== -1) for (const answer of unanswered.splice(0)) answer();
  },
  async drop() {
    for (const session of sessions) session.destroy();
  },
  async unbind() {
    for (const session of sessions) session.unbind();
  },
  // Somebody writes an SMS to the portal.
  async incoming() {
    for (const session of sessions)
      session.deliver_sm({ source_addr: "46700000009", destination_addr: "Backstage", short_message: "id:1 stat:UNDELIV" });
  },
};

const control = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const act = acts[url.pathname.slice(1)];
  if (request.method === "POST" && act) {
    await act(request);
    response.end("{}");
    return;
  }
  // GET /state?messages=2&binds=1 waits until there are so many.
  const enough = () => [...url.searchParams].every(([key, least]) => {
    const now = key === "sessions" ? sessions.size : key === "unanswered" ? unanswered.length : (state[key].length ?? state[key]);
    return key === "sessions" ? now === Number(least) : now >= Number(least);
  });
  const check = () => {
    if (!enough() || response.writableEnded) return;
    waiting.delete(check);
    response.end(JSON.stringify({ ...state, sessions: sessions.size, unanswered: unanswered.length }));
  };
  waiting.add(check);
  response.on("close", () => waiting.delete(check));
  check();
});

server.listen(0, "127.0.0.1", () => {
  control.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ port: server.address().port, control: control.address().port }));
  });
});
