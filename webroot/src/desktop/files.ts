// Files to and from the desktop, where the target allows them.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { percent, text } from "../text";
import type { Target } from "./target";
import type { Whisper } from "./whisper";

export class Files {
  private client: Guacamole.Client | null = null;
  private readonly drop: HTMLElement;

  constructor(
    private readonly pane: HTMLElement,
    private readonly target: Target,
    private readonly whisper: Whisper,
  ) {
    this.drop = within(pane, "drop");
    this.drop.textContent = text("desktop.js.drop", { target: target.name });
    pane.addEventListener("dragover", (event) => {
      if (event.dataTransfer) event.dataTransfer.dropEffect = this.maySend ? "copy" : "none";
      this.drop.hidden = !this.maySend;
    });
    pane.addEventListener("dragleave", (event) => {
      if (!pane.contains(event.relatedTarget as Node | null)) this.drop.hidden = true;
    });
    pane.addEventListener("drop", (event) => {
      this.drop.hidden = true;
      this.sendAll(event.dataTransfer?.files);
    });
  }

  attach(client: Guacamole.Client | null): void {
    this.client = client;
    if (client && this.target.download) client.onfile = (stream, mimetype, name) => this.receive(stream, mimetype, name);
  }

  sendAll(files: FileList | null | undefined): void {
    if (!this.maySend) return;
    for (const file of files ?? []) this.send(file);
  }

  private get maySend(): boolean {
    return this.target.upload && this.client !== null;
  }

  private send(file: File): void {
    if (!this.client) return;
    const stream = this.client.createFileStream(file.type || "application/octet-stream", file.name);
    const writer = new Guacamole.BlobWriter(stream);
    writer.onprogress = (blob, offset) => {
      const sent = percent(offset / Math.max(1, blob.size));
      this.whisper.say(text("desktop.js.uploading", { file: file.name, percent: sent }), true);
    };
    writer.onack = (status) => {
      if (status.isError()) this.whisper.say(text("desktop.js.upload-failed", { file: file.name }));
    };
    writer.onerror = () => {
      writer.sendEnd();
      this.whisper.say(text("desktop.js.upload-failed", { file: file.name }));
    };
    writer.oncomplete = () => {
      writer.sendEnd();
      this.whisper.say(text("desktop.js.upload-done", { file: file.name }));
    };
    writer.sendBlob(file);
  }

  private receive(stream: Guacamole.InputStream, mimetype: string, name: string): void {
    const reader = new Guacamole.BlobReader(stream, mimetype);
    this.whisper.say(text("desktop.js.downloading", { file: name }), true);
    reader.onend = () => {
      this.whisper.say("");
      this.save(reader.getBlob(), name);
    };
    stream.sendAck("Ready", Guacamole.Status.Code.SUCCESS); // guacd waits for it before the first blob
  }

  private save(blob: Blob, name: string): void {
    const address = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    this.pane.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}
