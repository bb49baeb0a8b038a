// The clipboard of one desktop, each way only where the target allows it: by
// itself where the browser lets it, through the text box in the tools everywhere.
//
// guacd carries text only. Up to 1.6 it asks an RDP server for nothing else, and
// takes whatever a browser sends for UTF-8 text (src/protocols/rdp/channels/
// cliprdr.c): a picture would be pasted as nonsense. So pictures are not sent;
// one that a guacd sends is taken. guacd and the library's StringWriter and
// StringReader both take a letter for 16 bits, so that an emoji crosses as its
// two halves and comes out whole; correct UTF-8 would not.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { text } from "../text";
import type { Target } from "./target";
import type { Whisper } from "./whisper";

const longest = 262_144; // guacd's clipboard, in bytes
const largestPicture = 8 * 2 ** 20; // bytes
const picture = "image/png"; // what browsers write to their clipboard
const settleMs = 100; // Windows hears of a new clipboard by another way than of the key
const v = 0x76;
const insert = 0xff63;
const control = 0xffe3;
const superKeys = [0xffeb, 0xffec, 0xffe7, 0xffe8]; // what Cmd may have gone out as

export class Clipboard {
  private client: Guacamole.Client | null = null;
  private last = ""; // what both sides have already
  private held: [0 | 1, number][] | null = null; // keys that wait for the clipboard
  private timer = 0;
  private writing: (() => Promise<void>) | null = null; // to this computer's clipboard, when the browser lets it

  constructor(
    pane: HTMLElement,
    private readonly target: Target,
    readonly whisper: Whisper,
    private readonly changed: () => void,
  ) {
    if (target.paste) {
      window.addEventListener("focus", () => void this.bring());
      this.listenForPaste(pane, within(pane, "display"));
    }
    // Some browsers let a page write the clipboard only on somebody's doing.
    for (const kind of ["pointerup", "keyup"]) pane.addEventListener(kind, () => void this.write(), { capture: true });
  }

  /** The text that both sides have. */
  get words(): string {
    return this.last;
  }

  attach(client: Guacamole.Client | null): void {
    this.client = client;
    this.last = "";
    this.held = null;
    if (!client) return;
    const send = client.sendKeyEvent.bind(client);
    client.sendKeyEvent = (pressed, keysym) => {
      if (this.held && this.client === client) this.held.push([pressed, keysym]);
      else send(pressed, keysym);
    };
    if (this.target.copy) client.onclipboard = (stream, mimetype) => this.receive(stream, mimetype);
  }

  /** Brings what was copied on this computer, where the browser has been told that it may. */
  async bring(): Promise<void> {
    if (!this.target.paste || !this.client || !document.hasFocus()) return;
    try {
      // Firefox and Safari know no such permission, and would ask each time.
      const permission = await navigator.permissions.query({ name: "clipboard-read" as PermissionName });
      if (permission.state === "denied") return;
      this.send(await navigator.clipboard.readText());
    } catch {
      // Not here: the keys, and the text box in the tools, are the way.
    }
  }

  /** Sends text, and says whether it was new there. */
  send(words: string): boolean {
    if (!this.target.paste || !this.client || words === "" || words === this.last) return false;
    if (new TextEncoder().encode(words).length > longest) {
      this.whisper.say(text("desktop.js.clipboard-too-large"));
      return false;
    }
    this.last = words;
    const writer = new Guacamole.StringWriter(this.client.createClipboardStream("text/plain"));
    writer.sendText(words);
    writer.sendEnd();
    this.changed();
    return true;
  }

  /**
   * Ctrl+V, Cmd+V and Shift+Insert are left to the browser, which then hands out
   * the clipboard without asking; the desktop gets it first and the key after.
   */
  private listenForPaste(pane: HTMLElement, frame: HTMLElement): void {
    let key = 0; // that the desktop is owed
    let isCmd = false;
    const press = (): void => {
      if (key !== 0) this.press(key, isCmd);
      key = 0;
    };
    pane.addEventListener("keydown", (event) => { // before the frame's own listeners
      const isV = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "v";
      const isInsert = event.shiftKey && !event.ctrlKey && !event.altKey && event.key === "Insert";
      if (!this.client || event.isComposing || !(isV || isInsert) || !frame.contains(event.target as Node)) return;
      event.stopPropagation(); // the desktop's own handler would keep it from the browser
      key = isInsert ? insert : event.key.charCodeAt(0);
      isCmd = event.metaKey;
      window.setTimeout(press); // where the browser has nothing to paste, or does not tell
    }, { capture: true });
    frame.addEventListener("paste", (event) => {
      event.preventDefault();
      if (this.send(event.clipboardData?.getData("text/plain") ?? "")) this.holdKeys();
      press();
    });
  }

  /** Keys wait for the clipboard, in their order: an Enter must not overtake the text before it. */
  private holdKeys(): void {
    this.held ??= [];
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const { client, held } = this;
      this.held = null;
      for (const [pressed, keysym] of held ?? []) client?.sendKeyEvent(pressed, keysym);
    }, settleMs);
  }

  private press(key: number, isCmd: boolean): void {
    const client = this.client;
    if (isCmd) {
      for (const one of superKeys) client?.sendKeyEvent(0, one);
      client?.sendKeyEvent(1, control);
    }
    client?.sendKeyEvent(1, isCmd ? v : key);
    client?.sendKeyEvent(0, isCmd ? v : key);
    if (isCmd) client?.sendKeyEvent(0, control);
  }

  private receive(stream: Guacamole.InputStream, mimetype: string): void {
    if (mimetype === picture) return this.receivePicture(stream);
    if (!mimetype.startsWith("text/")) {
      stream.sendAck("Only text", Guacamole.Status.Code.UNSUPPORTED);
      return;
    }
    const reader = new Guacamole.StringReader(stream);
    let words = "";
    reader.ontext = (piece) => {
      if (words.length <= longest) words += piece;
    };
    reader.onend = () => {
      this.last = words;
      this.changed();
      this.take(() => navigator.clipboard.writeText(words));
    };
  }

  private receivePicture(stream: Guacamole.InputStream): void {
    const reader = new Guacamole.BlobReader(stream, picture);
    reader.onprogress = () => {
      if (reader.getLength() <= largestPicture) return;
      stream.onblob = stream.onend = null;
      stream.sendAck("Too large", Guacamole.Status.Code.CLIENT_OVERRUN);
    };
    reader.onend = () => {
      this.take(() => navigator.clipboard.write([new ClipboardItem({ [picture]: reader.getBlob() })]));
    };
  }

  private take(write: () => Promise<void>): void {
    this.writing = write;
    void this.write();
  }

  /** Writes this computer's clipboard; what the browser refuses is tried once more when the person does something. */
  private async write(): Promise<void> {
    const write = this.writing;
    if (!write || !document.hasFocus()) return;
    try {
      await write();
      if (this.writing === write) this.writing = null;
    } catch {
      // Kept for the next time; the text box in the tools has the text.
    }
  }
}
