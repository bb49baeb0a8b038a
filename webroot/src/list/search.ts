// Search as you type: every word has to be in a row's name, description or
// heading, whatever its case and diacritics.
import { text } from "../text";

interface Row {
  item: HTMLElement;
  words: string;
}

// Letters that Unicode does not take apart into a letter and a mark: ø æ œ ð þ đ ł ß.
const whole: Record<string, string> = {
  "\u00f8": "o", "\u00e6": "ae", "\u0153": "oe", "\u00f0": "d", "\u00fe": "th", "\u0111": "d", "\u0142": "l", "\u00df": "ss",
};

/** Lower case, without diacritics: Å, ä and Ø are found by a and o. */
export function fold(words: string): string {
  return words.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[\u00f8\u00e6\u0153\u00f0\u00fe\u0111\u0142\u00df]/g, (letter) => whole[letter] ?? letter);
}

export class Search {
  private readonly rows: Row[];
  private readonly sections = [...document.querySelectorAll<HTMLElement>(".rows")];
  private readonly shortcuts = [...document.querySelectorAll<HTMLElement>(".running, .recent")];

  /** The search box of a list that is long enough to have one. */
  static ofPage(): Search | null {
    const field = document.querySelector<HTMLInputElement>("#find");
    return field && new Search(field);
  }

  private constructor(readonly field: HTMLInputElement) {
    this.rows = this.sections.flatMap((section) => {
      const heading = section.querySelector("h2")?.textContent ?? "";
      return [...section.querySelectorAll<HTMLElement>("li")].map((item) => {
        const group = item.querySelector<HTMLElement>(".target")?.dataset["group"] ?? heading;
        return { item, words: fold(`${item.querySelector(".words")?.textContent ?? ""} ${group}`) };
      });
    });
    field.addEventListener("input", () => this.narrow());
    document.querySelector("#show-all")?.addEventListener("click", () => this.clear());
    if (field.value !== "") this.narrow(); // the browser brought it back
  }

  clear(): void {
    this.field.value = "";
    this.narrow();
    this.field.focus();
  }

  private narrow(): void {
    // The key that brings people here is no part of what they look for.
    if (this.field.value.startsWith("/")) this.field.value = this.field.value.slice(1);
    const wanted = fold(this.field.value).split(/\s+/).filter((word) => word !== "");
    let count = 0;
    for (const { item, words } of this.rows) {
      item.hidden = !wanted.every((word) => words.includes(word));
      if (!item.hidden) count++;
    }
    for (const section of this.sections) section.hidden = !section.querySelector("li:not([hidden])");
    // What they lead to is in the rows below as well.
    for (const section of this.shortcuts) section.hidden = wanted.length > 0;
    const nothing = document.querySelector<HTMLElement>("#nothing");
    if (nothing) nothing.hidden = count > 0;
    this.say(wanted.length === 0 ? "" : count === 0 ? text("targets.js.found-none") : text("targets.js.found", { count, all: this.rows.length }));
  }

  private say(words: string): void {
    const found = document.querySelector<HTMLElement>("#found");
    if (found) found.textContent = words;
  }
}
