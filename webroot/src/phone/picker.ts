// The list of countries as a button with a flag, which opens a field to search
// in and the list below it (ARIA APG, "Editable Combobox With List
// Autocomplete"). The <select> stays in the form, hidden, and is what is sent.
import { text } from "../text";

interface Country {
  readonly code: string;
  readonly name: string;
  readonly dial: string;
  readonly flag: string;
  readonly words: readonly string[]; // what it is found by, folded
  readonly row: HTMLLIElement;
}

/** Lower case without marks: "Österrike" is found by "osterrike". */
const fold = (value: string): string => value.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

export class CountryPicker {
  readonly #select: HTMLSelectElement;
  readonly #countries: Country[];
  readonly #button = document.createElement("button");
  readonly #panel = document.createElement("div");
  readonly #search = document.createElement("input");
  readonly #list = document.createElement("ul");
  readonly #said = document.createElement("p");
  readonly #globe: string;
  #active: Country | undefined;
  #told: () => void = () => undefined;

  /** The picker of a form that has the list; undefined where it has none. */
  static of(form: HTMLFormElement): CountryPicker | undefined {
    const select = form.querySelector<HTMLSelectElement>("#country");
    const frame = form.querySelector<HTMLElement>(".number");
    return select && frame ? new CountryPicker(select, frame, form.dataset["globe"] ?? "") : undefined;
  }

  private constructor(select: HTMLSelectElement, frame: HTMLElement, globe: string) {
    this.#select = select;
    this.#globe = globe;
    this.#countries = [...select.options].map((option, at) => country(option, at));
    this.#build();
    frame.classList.add("able");
    frame.prepend(this.#button);
    frame.after(this.#panel);
    const field = select.closest<HTMLElement>(".field");
    if (field) field.hidden = true;
    this.#show();
  }

  /** The code of the country that numbers are read in. */
  get chosen(): string {
    return this.#select.value;
  }

  has(code: string): boolean {
    return this.#countries.some((one) => one.code === code);
  }

  choose(code: string): void {
    this.#select.value = code;
    this.#show();
  }

  /** Calls back when a person has chosen. */
  onChoice(told: () => void): void {
    this.#told = told;
  }

  #build(): void {
    Object.assign(this.#button, { type: "button", id: "country-button" });
    this.#button.classList.add("second", "flag-button");
    attributes(this.#button, { "aria-haspopup": "dialog", "aria-controls": "countries" });
    this.#button.addEventListener("click", () => (this.#panel.hidden ? this.#open() : this.#close(true)));
    Object.assign(this.#panel, { id: "countries", className: "countries", hidden: true });
    attributes(this.#panel, { role: "dialog", "aria-label": text("phone.js.choose") });
    const label = document.createElement("label");
    label.textContent = text("phone.js.search");
    label.htmlFor = this.#search.id = "country-search";
    const hint = document.createElement("p");
    Object.assign(hint, { id: "country-search-hint", className: "hint", textContent: text("phone.js.search-hint") });
    Object.assign(this.#search, { type: "text", autocomplete: "off", spellcheck: false, maxLength: 60 });
    attributes(this.#search, {
      role: "combobox", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": "country-list", "aria-describedby": hint.id,
    });
    this.#search.addEventListener("input", () => this.#narrow());
    this.#search.addEventListener("keydown", (event) => this.#key(event));
    this.#list.id = "country-list";
    attributes(this.#list, { role: "listbox", "aria-label": text("phone.js.choose") });
    for (const one of this.#countries) {
      one.row.addEventListener("click", () => this.#take(one));
      // The field keeps the focus, so that leaving it closes the list.
      one.row.addEventListener("pointerdown", (event) => event.preventDefault());
      this.#list.append(one.row);
    }
    this.#said.className = "hint";
    this.#said.setAttribute("role", "status");
    this.#panel.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node) || !this.#panel.contains(event.relatedTarget)) this.#close(false);
    });
    this.#panel.append(label, hint, this.#search, this.#said, this.#list);
  }

  #show(): void {
    const chosen = this.#countries.find((one) => one.code === this.chosen);
    this.#button.replaceChildren(
      chosen?.flag ? picture(chosen.flag) : globe(this.#globe),
      Object.assign(document.createElement("span"), { textContent: chosen ? `+${chosen.dial}` : "" }),
    );
    const name = chosen ? `${chosen.name} +${chosen.dial}` : text("phone.js.choose");
    this.#button.setAttribute("aria-label", chosen ? text("phone.js.chosen", { country: name }) : name);
    this.#button.setAttribute("aria-expanded", String(!this.#panel.hidden));
    for (const one of this.#countries) one.row.setAttribute("aria-selected", String(one === chosen));
  }

  #open(): void {
    this.#panel.hidden = false;
    this.#search.value = "";
    this.#narrow();
    this.#activate(this.#countries.find((one) => one.code === this.chosen));
    this.#show();
    this.#search.focus();
  }

  #close(back: boolean): void {
    if (this.#panel.hidden) return;
    this.#panel.hidden = true;
    this.#show();
    if (back) this.#button.focus();
  }

  #take(one: Country): void {
    this.choose(one.code);
    this.#close(true);
    this.#told();
  }

  /** Shows what fits the search: a name in the page's language, its own or English, a code, a prefix. */
  #narrow(): void {
    const wanted = fold(this.#search.value);
    const dial = wanted.replace(/^(\+|00)/, "");
    for (const one of this.#countries) {
      const number = /^\d+$/.test(dial) && one.dial.startsWith(dial);
      one.row.hidden = !(number || one.words.some((word) => word.startsWith(wanted) || word.includes(` ${wanted}`)));
    }
    const found = this.#found();
    this.#said.textContent = found.length > 0 ? text("phone.js.found", { n: found.length }) : text("phone.js.none");
    this.#activate(wanted === "" ? this.#active : found[0]);
  }

  #found(): Country[] {
    return this.#countries.filter((one) => !one.row.hidden);
  }

  #activate(one: Country | undefined): void {
    this.#active?.row.classList.remove("active");
    this.#active = one && !one.row.hidden ? one : undefined;
    this.#active?.row.classList.add("active");
    this.#active?.row.scrollIntoView({ block: "nearest" });
    this.#search.setAttribute("aria-activedescendant", this.#active?.row.id ?? "");
  }

  #key(event: KeyboardEvent): void {
    const found = this.#found();
    const at = this.#active ? found.indexOf(this.#active) : -1;
    switch (event.key) {
      case "ArrowDown":
        this.#activate(found[(at + 1) % found.length]);
        break;
      case "ArrowUp":
        this.#activate(found[at <= 0 ? found.length - 1 : at - 1]);
        break;
      case "Enter": // never sends the form from here
        if (this.#active) this.#take(this.#active);
        break;
      case "Escape":
        this.#close(true);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

function attributes(element: HTMLElement, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
}

function country(option: HTMLOptionElement, at: number): Country {
  const { name = option.text, dial = "", flag = "" } = option.dataset;
  const code = option.value;
  const row = document.createElement("li");
  row.id = `country-${at}`;
  row.setAttribute("role", "option");
  if (flag) row.append(picture(flag));
  row.append(
    Object.assign(document.createElement("span"), { textContent: name }),
    Object.assign(document.createElement("span"), { className: "dial", textContent: `+${dial}` }),
  );
  return { code, name, dial, flag, row, words: [name, code, ...namesOf(code)].map(fold) };
}

/** A country's name in English and in its own languages, as far as the browser knows them. */
function namesOf(code: string): string[] {
  try {
    const own = new Intl.Locale("und", { region: code }).maximize().language;
    return ["en", own].map((language) => new Intl.DisplayNames([language], { type: "region" }).of(code) ?? "").filter(Boolean);
  } catch {
    return []; // a browser or a code that is older than the other
  }
}

function picture(address: string): HTMLImageElement {
  return Object.assign(document.createElement("img"), { src: address, alt: "", width: 24, height: 16, loading: "lazy" as const });
}

function globe(address: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", address);
  svg.append(use);
  return svg;
}
