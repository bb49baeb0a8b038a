// The clipboard of one desktop, each way only where the target allows it: by
// itself where the browser lets it, through the text box in the tools everywhere.
import * as Guacamole from "@glokon/guacamole-common-js";
import type { Target } from "./target";
import type { Whisper } from "./whisper";

const longest = 262_144; // guacd's clipboard, in bytes

export class Clipboard {
  private client: Guacamole.Client | null = null;
  private last = ""; // what both sides have already

  constructor(
    private readonly target: Target,
    readonly whisper: Whisper,
    private readonly changed: () => void,
  ) {
    if (target.paste) window.addEventListener("focus", () => void this.bring());
  }

  /** The text that both sides have. */
  get words(): string {
    return this.last;
  }

  attach(client: Guacamole.Client): void {
    this.client = client;
    this.last = "";
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
      // Not here: the text box in the tools is the way.
    }
  }

  send(words: string): void {
    if (!this.target.paste || !this.client || words === "" || words === this.last || words.length > longest) return;
    this.last = words;
    const writer = new Guacamole.StringWriter(this.client.createClipboardStream("text/plain"));
    writer.sendText(words);
    writer.sendEnd();
    this.changed();
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
      this.changed();
      if (document.hasFocus()) void navigator.clipboard?.writeText(words).catch(() => undefined);
    };
  }
}
