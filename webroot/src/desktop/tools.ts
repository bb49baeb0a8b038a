// The tools: hidden until one reaches for the upper edge or presses the key.
// They act on the active desktop, and offer what its target allows.
import { part, within } from "../page";
import { text } from "../text";
import { FolderDialog } from "./folder";
import { KeyRow } from "./keyrow";
import { alt, ctrl, del } from "./keys";
import type { Pane } from "./pane";
import { ScreenTools } from "./screentools";
import { fileTime } from "./screenshot";

/** What the tools ask of the page. */
export interface Host {
  /** The tools are closed: the keyboard goes back to the desktop. */
  closed: () => void;
  /** Another desktop is wanted. */
  add: () => void;
  /** The other layout is wanted. */
  turn: () => void;
}

/** How the page is. */
export interface Layout {
  several: boolean;
  full: boolean; // no room for another desktop
  sideBySide: boolean;
}

export class Tools {
  private readonly dialog = part<HTMLDialogElement>("tools");
  private readonly handle = part("handle");
  private readonly clipboard = within<HTMLTextAreaElement>(this.dialog, "clipboard");
  private readonly folder = new FolderDialog(() => this.host.closed());
  private readonly keyRow = new KeyRow();
  private readonly screen = new ScreenTools(this.dialog, this.keyRow);
  private pane: Pane | null = null;
  private leaving: (() => void) | null = null; // done once the tools are closed

  constructor(private readonly host: Host) {
    this.handle.addEventListener("click", () => this.open());
    this.on("close", () => undefined);
    this.on("ctrl-alt-del", () => this.pane?.input.send(ctrl, alt, del));
    this.on("full-screen", toggleFullScreen);
    this.on("add", () => host.add());
    this.on("turn", () => host.turn());
    this.on("files", () => this.pane && this.folder.open(this.pane));
    this.on("screenshot", () => void this.pane?.shoot());
    this.on("mute", () => this.turnSound());
    this.on("microphone", () => void this.pane?.microphone.turn());
    this.offerKeys();
    this.offerFiles();
    this.offerClipboard();
    this.dialog.addEventListener("close", () => this.closed());
    // A click beside the tools leads back to the desktop.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog && !this.contains(event)) this.dialog.close();
    });
    this.listenAtTheEdge();
  }

  open(): void {
    if (document.querySelector("dialog:modal")) return;
    this.handle.setAttribute("aria-expanded", "true");
    within(this.dialog, "tabs-place").append(part("tabs"));
    if (this.pane) this.screen.show(this.pane, this.keyRow.isOpen);
    this.dialog.showModal();
  }

  close(): void {
    if (this.dialog.open) this.dialog.close();
  }

  /** Offers what the active desktop's target allows. */
  show(pane: Pane, layout: Layout): void {
    this.pane = pane;
    this.keyRow.show(pane);
    this.screen.show(pane, this.keyRow.isOpen);
    const { copy, paste, upload, download, audio, microphone, readOnly } = pane.target;
    this.offer("upload", upload);
    this.offer("files", (upload || download) && pane.files.folder !== null);
    this.offer("screenshot", (copy || download) && pane.isConnected); // a picture of it is a copy of it
    this.offer("mute", audio);
    this.press("mute", pane.sound.isMuted);
    this.offer("microphone", microphone && pane.isConnected);
    this.press("microphone", pane.microphone.isOn);
    this.offer("ctrl-alt-del", !readOnly);
    this.offer("combinations", !readOnly);
    this.offer("clipboard-hint", upload);
    this.offer("clipboard-box", copy || paste);
    this.offer("clipboard-send", paste);
    this.offer("clipboard-copy", copy);
    this.offer("add", !layout.full);
    this.offer("turn", layout.several);
    this.press("turn", layout.sideBySide);
    this.clipboard.readOnly = !paste;
    if (document.activeElement !== this.clipboard) this.clipboard.value = pane.clipboard.words;
  }

  /** The round trip of a desktop has been measured. */
  measured(pane: Pane): void {
    if (pane === this.pane && this.dialog.open) this.screen.showQuality(pane);
  }

  /** A tool closes the tools, which gives the keyboard back, and then acts. */
  private on(name: string, act: () => void): void {
    this.find(name).addEventListener("click", () => this.leave(act));
  }

  private leave(act: () => void): void {
    this.leaving = act;
    this.dialog.close();
  }

  private closed(): void {
    this.handle.setAttribute("aria-expanded", "false");
    this.handle.after(part("tabs"));
    this.host.closed();
    this.leaving?.();
    this.leaving = null;
  }

  private offer(name: string, isOffered: boolean): void {
    this.find(name).hidden = !isOffered;
  }

  private press(name: string, isPressed: boolean): void {
    this.find(name).setAttribute("aria-pressed", String(isPressed));
  }

  private find<T extends HTMLElement>(name: string): T {
    return within<T>(this.dialog, name);
  }

  /** Each button names the keys that it presses, as X11 keysyms. */
  private offerKeys(): void {
    for (const button of this.dialog.querySelectorAll<HTMLElement>("[data-keys]")) {
      const keysyms = (button.dataset["keys"] ?? "").split(" ").map((hex) => parseInt(hex, 16));
      button.addEventListener("click", () => this.leave(() => this.pane?.input.send(...keysyms)));
    }
  }

  private turnSound(): void {
    this.pane?.sound.turn();
    this.press("mute", this.pane?.sound.isMuted === true);
  }

  private offerFiles(): void {
    const chooser = this.find<HTMLInputElement>("upload-files");
    chooser.addEventListener("change", () => {
      this.pane?.files.sendAll(chooser.files);
      chooser.value = "";
      this.dialog.close();
    });
  }

  private offerClipboard(): void {
    this.find("clipboard-send").addEventListener("click", () => {
      this.pane?.clipboard.send(this.clipboard.value);
      this.pane?.clipboard.whisper.say(text("desktop.js.sent"));
    });
    this.find("clipboard-copy").addEventListener("click", () => void this.copyHere());
    // guacd carries no pictures in its clipboard: one that is pasted here is sent as a file.
    this.clipboard.addEventListener("paste", (event) => {
      const [file] = event.clipboardData?.files ?? [];
      if (!file || !this.pane?.target.upload) return;
      event.preventDefault();
      const name = file.name === "image.png" ? `${text("desktop.js.picture")} ${fileTime()}.png` : file.name;
      this.pane.files.sendAll([new File([file], name, { type: file.type })]);
      this.dialog.close();
    });
  }

  private async copyHere(): Promise<void> {
    const whisper = this.pane?.clipboard.whisper;
    try {
      await navigator.clipboard.writeText(this.clipboard.value);
      whisper?.say(text("desktop.js.copied"));
    } catch {
      this.clipboard.select();
      whisper?.say(text("desktop.js.copy-failed"));
    }
  }

  private listenAtTheEdge(): void {
    // The key that opened the tools closes them too, and opens them where no desktop has the keyboard.
    window.addEventListener("keydown", (event) => {
      const isModifier = event.key === "Control" || event.key === "Alt" || event.key === "Shift";
      if (!isModifier || event.repeat || !(event.ctrlKey && event.altKey && event.shiftKey)) return;
      if (this.pane?.input.hasKeyboard) return; // the desktop's own handler has it
      if (this.dialog.open) this.dialog.close();
      else this.open();
    }, { capture: true }); // before the desktop's handler moves the focus
    window.addEventListener("pointermove", (event) => {
      if (event.clientY <= 2) document.body.classList.add("edge");
      else if (event.clientY > 64) document.body.classList.remove("edge");
    }, { passive: true, capture: true });
  }

  private contains(event: MouseEvent): boolean {
    const box = this.dialog.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  }
}

function toggleFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => undefined);
}
