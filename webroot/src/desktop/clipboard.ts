// The clipboard, each way only where the target allows it: by itself where the
// browser lets it, through the text box in the tools everywhere.
import * as Guacamole from "@glokon/guacamole-common-js";
import { optionalPart } from "../page";
import { text } from "../text";
import type { Whisper } from "./status";

const longest = 262_144; // guacd's clipboard, in bytes

export class Clipboard {
  private readonly box = optionalPart<HTMLTextAreaElement>("clipboard");
  private client: Guacamole.Client | null = null;
  private last = ""; // what both sides have already

  constructor(
    private readonly allowed: { copy: boolean; paste: boolean },
    private readonly whisper: Whisper,
  ) {
    optionalPart("clipboard-send")?.addEventListener("click", () => {
      this.send(this.box?.value ?? "");
      this.whisper.say(text("desktop.js.sent"));
    });
    optionalPart("clipboard-copy")?.addEventListener("click", () => void this.copyHere());
    if (allowed.paste) window.addEventListener("focus", () => void this.bring());
  }

  attach(client: Guacamole.Client): void {
    this.client = client;
    this.last = "";
    if (this.allowed.copy) client.onclipboard = (stream, mimetype) => this.receive(stream, mimetype);
  }

  /** Brings what was copied on this computer, where the browser has been told that it may. */
  async bring(): Promise<void> {
    if (!this.allowed.paste || !this.client || !document.hasFocus()) return;
    try {
      // Firefox and Safari know no such permission, and would ask each time.
      const permission = await navigator.permissions.query({ name: "clipboard-read" as PermissionName });
      if (permission.state === "denied") return;
      this.send(await navigator.clipboard.readText());
    } catch {
      // Not here: the text box in the tools is the way.
    }
  }

  private send(words: string): void {
    if (!this.client || words === "" || words === this.last || words.length > longest) return;
    this.last = words;
    const writer = new Guacamole.StringWriter(this.client.createClipboardStream("text/plain"));
    writer.sendText(words);
    writer.sendEnd();
    if (this.box) this.box.value = words;
  }

  private receive(stream: Guacamole.InputStream, mimetype: string): void {
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
      if (this.box) this.box.value = words;
      if (document.hasFocus()) void navigator.clipboard?.writeText(words).catch(() => undefined);
    };
  }

  private async copyHere(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.box?.value ?? "");
      this.whisper.say(text("desktop.js.copied"));
    } catch {
      this.box?.select();
      this.whisper.say(text("desktop.js.copy-failed"));
    }
  }
}
