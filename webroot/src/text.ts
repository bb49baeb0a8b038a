// The texts that scripts show, and numbers, times and sizes as the page's
// language writes them. The page carries the texts in <template id="texts">, and
// some pages more of their own; the Swedish file says which keys there are.
import type phone from "../locales/phone/sv.json";
import type swedish from "../locales/sv.json";
import type factors from "../locales/factors/sv.json";
import type live from "../locales/live/sv.json";

type Stem<Key> = Key extends `${infer Name}.one` | `${infer Name}.other` ? Name : Key;

/** A text that depends on a number is written as KEY.one and KEY.other, and asked for as KEY. */
export type TextKey = Stem<Extract<keyof typeof swedish | keyof typeof factors | keyof typeof live | keyof typeof phone, `${string}.js.${string}`>>;

const texts = new Map<string, string>();
for (const carrier of document.querySelectorAll<HTMLTemplateElement>("template")) {
  for (const one of carrier.content.querySelectorAll<HTMLElement>("[data-key]")) {
    texts.set(one.dataset["key"] ?? "", one.textContent ?? "");
  }
}

// The English is British, as its spelling is: 14:02:11 and 21 November 2026.
const { lang } = document.documentElement;
const locale = lang === "en" ? "en-GB" : lang || "sv";

/**
 * The text of a key, its {placeholders} filled in: a number as the language
 * writes it, a string as it is. The first number decides the plural form.
 */
export function text(key: TextKey, values: Record<string, string | number> = {}): string {
  return (texts.get(key) ?? texts.get(pluralKey(key, values)) ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : (value ?? whole);
  });
}

function pluralKey(key: string, values: Record<string, string | number>): string {
  const count = Object.values(values).find((value) => typeof value === "number");
  return `${key}.${new Intl.PluralRules(locale).select(Number(count ?? 0)) === "one" ? "one" : "other"}`;
}

/** "1 234,5" for 1234.5, with this many decimals at most. */
export function number(value: number, decimals = 0): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: decimals }).format(value);
}

/** "7 %" for 0.07; never 100 % before the whole is there. */
export function percent(share: number): string {
  const style = { style: "percent", maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(locale, style).format(Math.floor(Math.min(1, Math.max(0, share)) * 100) / 100);
}

/** "14:02:11". */
export function time(at: Date): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(at);
}

/** "21 november 2026". */
export function date(at: Date): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "long" }).format(at);
}

const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** "15 kB" or "1,5 MB": two digits at least, of 1000s as file managers count them. */
export function bytes(size: number): string {
  let step = 0;
  let value = Math.max(0, size);
  for (; Math.round(value) >= 1000 && step < sizes.length - 1; step++) value /= 1000;
  const unit = sizes[step] ?? "byte";
  const maximumFractionDigits = step > 0 && value < 10 ? 1 : 0;
  const unitDisplay = step > 0 ? "short" : "long"; // "15 tavua", not "15 t"
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(value);
}

// What stands between hours, minutes and seconds: 14:02, 14.02.
const divider =
  new Intl.DateTimeFormat(locale, { timeStyle: "short" }).formatToParts(0).find(({ type }) => type === "literal")?.value ?? ":";

/** "1:05" for 65 seconds and "1:00:00" for an hour, divided as the language divides a clock time. */
export function minutesAndSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (n: number): string => String(n).padStart(2, "0");
  const parts = hours > 0 ? [String(hours), two(minutes)] : [String(minutes)];
  return [...parts, two(whole % 60)].join(divider);
}
