// The keyboard test: which of the characters that trouble people arrive.
import { part } from "../page";
import { text } from "../text";

const wanted = (part("keys").dataset["keys"] ?? "").split(" ");

export class KeyboardTest {
  /** The characters that have arrived, in our order. */
  arrived = "";
  altGr = false;
  private readonly field = part<HTMLInputElement>("keyboard");
  private readonly keys = new Map<string, HTMLElement>();

  constructor(send: () => void) {
    for (const key of wanted) {
      const item = document.createElement("li");
      const cap = document.createElement("kbd");
      const words = document.createElement("span");
      cap.textContent = key;
      cap.setAttribute("aria-hidden", "true");
      words.className = "unseen";
      words.textContent = text("check.js.key.missing", { key });
      item.append(cap, words);
      part("keys").append(item);
      this.keys.set(key, item);
    }
    this.field.addEventListener("keydown", (event) => {
      // Windows and Linux say AltGraph; on a Mac the Option key does without.
      if (event.key === "AltGraph" || event.getModifierState("AltGraph")) this.altGr = true;
    });
    this.field.addEventListener("input", () => this.look());
    part("keyboard-send").addEventListener("click", () => {
      part("keyboard-send").hidden = true;
      this.field.focus();
      send();
    });
  }

  private look(): void {
    const typed = this.field.value.normalize("NFC").toLowerCase(); // dead keys may give a letter and its dots
    let news = false;
    for (const [key, item] of this.keys) {
      if (item.dataset["arrived"] !== undefined || !typed.includes(key)) continue;
      item.dataset["arrived"] = "";
      const words = item.querySelector("span");
      if (words) words.textContent = text("check.js.key.arrived", { key });
      news = true;
    }
    if (!news) return;
    this.arrived = wanted.filter((key) => this.keys.get(key)?.dataset["arrived"] !== undefined).join("");
    const count = [...this.arrived].length;
    const words = [count === wanted.length ? text("check.js.keyboard.all") : text("check.js.keyboard.some", { count, total: wanted.length })];
    if (this.altGr) words.push(text("check.js.keyboard.altgr"));
    part("keyboard-text").textContent = words.join(" ");
    part("keyboard-send").hidden = false;
  }
}
