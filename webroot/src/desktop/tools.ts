// The tools: hidden until one reaches for the upper edge or presses the key.
import { optionalPart, part } from "../page";

export class Tools {
  private readonly dialog = part<HTMLDialogElement>("tools");
  private readonly handle = part<HTMLButtonElement>("handle");

  constructor(private readonly closed: () => void, ctrlAltDel: () => void) {
    this.handle.addEventListener("click", () => this.open());
    part("tools-close").addEventListener("click", () => this.dialog.close());
    part("ctrl-alt-del").addEventListener("click", () => {
      this.dialog.close();
      ctrlAltDel();
    });
    part("full-screen").addEventListener("click", () => {
      this.dialog.close();
      if (document.fullscreenElement) void document.exitFullscreen();
      else void document.documentElement.requestFullscreen().catch(() => undefined);
    });
    optionalPart("upload")?.addEventListener("change", () => this.dialog.close());
    this.dialog.addEventListener("close", () => {
      this.handle.setAttribute("aria-expanded", "false");
      this.closed();
    });
    // A click beside the tools leads back to the desktop.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog && !this.contains(event)) this.dialog.close();
    });
    // The key that opened the tools closes them too, and opens them where the desktop has not got the keyboard.
    window.addEventListener("keydown", (event) => {
      const isModifier = event.key === "Control" || event.key === "Alt" || event.key === "Shift";
      if (!isModifier || event.repeat || !(event.ctrlKey && event.altKey && event.shiftKey)) return;
      if (part("display").contains(document.activeElement)) return; // the desktop's own handler has it
      if (this.dialog.open) this.dialog.close();
      else this.open();
    }, { capture: true }); // before the desktop's handler moves the focus
    window.addEventListener("pointermove", (event) => {
      if (event.clientY <= 2) document.body.classList.add("edge");
      else if (event.clientY > 64) document.body.classList.remove("edge");
    }, { passive: true, capture: true });
  }

  open(): void {
    if (document.querySelector("dialog[open]")) return;
    this.handle.setAttribute("aria-expanded", "true");
    this.dialog.showModal();
  }

  private contains(event: MouseEvent): boolean {
    const box = this.dialog.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  }
}
