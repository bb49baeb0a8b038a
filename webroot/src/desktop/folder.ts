// The disk that the desktop shares with the portal, and the dialog that shows it.
import * as Guacamole from "@glokon/guacamole-common-js";
import { copyOf, part, within } from "../page";
import { text } from "../text";
import type { Pane } from "./pane";

const patience = 15_000; // ms: guacd says nothing of a file that is not there
const longestList = 4 * 2 ** 20; // characters

export interface Entry {
  path: string;
  name: string;
  isFolder: boolean;
}

interface Body {
  stream: Guacamole.InputStream;
  mimetype: string;
}

const indexType = Guacamole.Object.STREAM_INDEX_MIMETYPE;

export class SharedFolder {
  constructor(private readonly object: Guacamole.Object) {}

  /** What lies in a folder, folders first. */
  async list(path: string): Promise<Entry[]> {
    const { stream, mimetype } = await this.fetch(path);
    if (mimetype !== indexType) {
      stream.sendAck("Not a folder", Guacamole.Status.Code.UNSUPPORTED);
      throw new Error("not a folder");
    }
    const types = await new Promise<Record<string, string>>((resolve, reject) => {
      let json = "";
      const reader = new Guacamole.ArrayBufferReader(stream);
      const decoder = new TextDecoder(); // the library's own takes letters of 16 bits for all there are
      reader.ondata = (piece) => {
        json += decoder.decode(piece, { stream: true });
        if (json.length <= longestList) stream.sendAck("OK", Guacamole.Status.Code.SUCCESS);
        else reject(new Error("too long"));
      };
      reader.onend = () => {
        try {
          resolve(JSON.parse(json) as Record<string, string>);
        } catch (error) {
          reject(error);
        }
      };
      stream.sendAck("OK", Guacamole.Status.Code.SUCCESS);
      window.setTimeout(() => reject(new Error("no answer")), patience);
    });
    const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
    return Object.entries(types)
      .map(([at, type]) => ({ path: at, name: at.split(/[\\/]/).pop() ?? at, isFolder: type === indexType }))
      .sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || order.compare(a.name, b.name));
  }

  /** Asks for a folder or a file. */
  fetch(path: string): Promise<Body> {
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => reject(new Error("no answer")), patience);
      this.object.requestInputStream(path, (stream, mimetype) => {
        window.clearTimeout(timer);
        resolve({ stream, mimetype });
      });
    });
  }

  /** A stream that writes a file anew. */
  create(folder: string, mimetype: string, name: string): Guacamole.OutputStream {
    return this.object.createOutputStream(mimetype, `${folder.replace(/[\\/]$/, "")}/${name}`);
  }
}

export class FolderDialog {
  private readonly dialog = part<HTMLDialogElement>("folder");
  private readonly list = within(this.dialog, "list");
  private readonly says = within(this.dialog, "says");
  private readonly up = within<HTMLButtonElement>(this.dialog, "up");
  private readonly chooser = within<HTMLInputElement>(this.dialog, "send-files");
  private pane: Pane | null = null;
  private path: Entry[] = []; // from the top down
  private asked = 0; // an answer that comes late is not shown

  constructor(left: () => void) {
    within(this.dialog, "leave").addEventListener("click", () => this.dialog.close());
    within(this.dialog, "refresh").addEventListener("click", () => void this.show(false));
    this.up.addEventListener("click", () => {
      this.path.pop();
      void this.show();
    });
    this.chooser.addEventListener("change", () => {
      this.pane?.files.sendAll(this.chooser.files, this.here);
      this.chooser.value = "";
      this.dialog.close();
    });
    this.dialog.addEventListener("close", left);
  }

  open(pane: Pane): void {
    this.pane = pane;
    this.path = [];
    within(this.dialog, "heading").textContent = text("desktop.js.folder", { target: pane.target.name });
    within(this.dialog, "send").hidden = !pane.target.upload;
    this.dialog.showModal();
    void this.show();
  }

  private get here(): string {
    return this.path.at(-1)?.path ?? Guacamole.Object.ROOT_STREAM;
  }

  private async show(takesFocus = true): Promise<void> {
    const turn = ++this.asked;
    this.up.disabled = this.path.length === 0;
    within(this.dialog, "path").textContent = ["", ...this.path.map(({ name }) => name), ""].join("\\");
    this.list.replaceChildren();
    this.says.textContent = text("desktop.js.folder-loading");
    let words = "";
    try {
      const entries = (await this.pane?.files.folder?.list(this.here)) ?? [];
      if (turn !== this.asked) return;
      this.list.replaceChildren(...entries.map((entry) => this.row(entry)));
      words = entries.length === 0 ? text("desktop.js.folder-empty") : "";
    } catch {
      words = text("desktop.js.folder-failed");
    }
    if (turn !== this.asked) return;
    this.says.textContent = words;
    const first = this.list.querySelector<HTMLElement>("button:enabled") ?? (this.up.disabled ? within(this.dialog, "leave") : this.up);
    if (takesFocus) first.focus(); // the row that was pressed is gone
  }

  private row(entry: Entry): HTMLElement {
    const row = copyOf(entry.isFolder ? "folder-row" : "file-row");
    const button = within<HTMLButtonElement>(row, "take");
    within(row, "name").textContent = entry.name;
    button.disabled = !entry.isFolder && !this.pane?.target.download;
    button.addEventListener("click", () => {
      if (entry.isFolder) {
        this.path.push(entry);
        void this.show();
        return;
      }
      this.pane?.files.fetch(entry.path, entry.name);
      this.dialog.close();
    });
    return row;
  }
}
