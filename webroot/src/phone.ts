// The page of one's number, with JavaScript: a country is found by typing, its
// flag stands left of the field, and a number is written and tried as it is
// typed. Without, the list and the field do the same work; the server has the
// last word in any case.
import { AsYouType } from "libphonenumber-js/mobile";
import { CountryPicker } from "./phone/picker";
import { text } from "./text";

const form = document.querySelector<HTMLFormElement>("#phone");
const field = document.querySelector<HTMLInputElement>("#number");
const said = document.querySelector<HTMLElement>("#number-said");
const picker = form && CountryPicker.of(form);

type Countries = ConstructorParameters<typeof AsYouType>[0];

const digits = (value: string): string => value.replace(/[^\d+]/g, "");

/** What a pasted number has in it, and a telephone's keys cannot say. */
const clean = (value: string): string => value.replace(/^\s*00/, "+").replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069]/g, "");

/** Says how the number stands; what is not finished is no fault until one leaves the field. */
function judge(final: boolean): void {
  if (!field || !said || !picker) return;
  const typist = new AsYouType(picker.chosen as Countries);
  typist.input(clean(field.value));
  const number = typist.getNumber();
  const country = number?.country;
  let words = "";
  if (country && !picker.has(country)) words = text("phone.js.elsewhere");
  else if (number?.isValid()) {
    words = text("phone.js.good", { number: number.formatInternational() });
    field.removeAttribute("aria-invalid"); // of what the server found before
  }
  else if (final && field.value.trim() !== "") words = text("phone.js.unfinished");
  if (said.textContent !== words) said.textContent = words;
}

/** Writes the number with its spaces, unless one works in the middle of it. */
function write(event: Event): void {
  if (!field || !picker) return;
  const raw = clean(field.value);
  const typist = new AsYouType(picker.chosen as Countries);
  const written = typist.input(raw);
  const country = typist.getCountry();
  if (raw.startsWith("+") && country && picker.has(country)) picker.choose(country);
  const atEnd = field.selectionStart === field.value.length;
  const deletes = event instanceof InputEvent && event.inputType.startsWith("delete");
  // What is no part of a number stays, for its person to see.
  if (atEnd && !deletes && /^[\d\s+().\/-]*$/.test(raw) && digits(written) === digits(raw)) field.value = written;
  judge(false);
}

field?.addEventListener("input", write);
field?.addEventListener("blur", () => judge(true));
picker?.onChoice(() => {
  field?.focus();
  judge(false);
});
