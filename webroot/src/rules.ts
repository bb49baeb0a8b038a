import { text } from "./text";

/**
 * Ticks the rules of the password page as they are met. Only what is certain is
 * ticked: the length, counted as Active Directory counts it (UTF-16 units), and
 * that the two new passwords are alike. The directory judges the rest.
 */
export function tickRules(): void {
  const fresh = document.querySelector<HTMLInputElement>("#new");
  const confirm = document.querySelector<HTMLInputElement>("#confirm");
  const alike = document.querySelector<HTMLElement>("[data-alike]");
  if (!fresh || !confirm || !alike) return;
  alike.hidden = false;
  const length = document.querySelector<HTMLElement>("[data-least]");
  const look = (): void => {
    if (length) tick(length, fresh.value.length >= Number(length.dataset["least"]));
    tick(alike, fresh.value !== "" && fresh.value === confirm.value);
  };
  for (const field of [fresh, confirm]) field.addEventListener("input", look);
  look(); // a browser may have filled the fields in
}

/** A tick for the eye, a word after the rule for a screen reader. */
function tick(rule: HTMLElement, isMet: boolean): void {
  if (rule.classList.contains("met") === isMet) return;
  rule.classList.toggle("met", isMet);
  rule.querySelector(".unseen")?.remove();
  if (!isMet) return;
  const word = document.createElement("span");
  word.className = "unseen";
  word.textContent = ` (${text("app.js.met")})`;
  rule.append(word);
}
