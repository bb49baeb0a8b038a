// Files to and from the desktop, where the target allows them.
import * as Guacamole from "@glokon/guacamole-common-js";
import { optionalPart, part } from "../page";
import { text } from "../text";
import type { Whisper } from "./status";

export class Files {
  private client: Guacamole.Client | null = null;

  constructor(
    private readonly allowed: { upload: boolean; download: boolean },
    private readonly whisper: Whisper,
  ) {
    // Without this a dropped file replaces the page, wherever it is allowed.
    window.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = allowed.upload ? "copy" : "none";
      this.showDrop(true);
    });
    window.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.showDrop(false);
    });
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      this.showDrop(false);
      this.sendAll(event.dataTransfer?.files);
    });
    const chooser = optionalPart<HTMLInputElement>("upload");
    chooser?.addEventListener("change", () => {
      this.sendAll(chooser.files);
      chooser.value = "";
    });
  }

  attach(client: Guacamole.Client): void {
    this.client = client;
    if (this.allowed.download) client.onfile = (stream, mimetype, name) => this.receive(stream, mimetype, name);
  }

  private showDrop(shown: boolean): void {
    const drop = optionalPart("drop");
    if (drop) drop.hidden = !shown || !this.client;
  }

  private sendAll(files: FileList | null | undefined): void {
    if (!this.allowed.upload) return;
    for (const file of files ?? []) this.send(file);
  }

  private send(file: File): void {
    if (!this.client) return;
    const stream = this.client.createFileStream(file.type || "application/octet-stream", file.name);
    const writer = new Guacamole.BlobWriter(stream);
    writer.onprogress = (blob, offset) => {
      const percent = Math.floor((100 * offset) / Math.max(1, blob.size));
      this.whisper.say(text("desktop.js.uploading", { file: file.name, percent }), true);
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
      save(reader.getBlob(), name);
    };
    stream.sendAck("Ready", Guacamole.Status.Code.SUCCESS); // guacd waits for it before the first blob
  }
}

function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  part("display").append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
