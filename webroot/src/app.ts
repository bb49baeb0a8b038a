// What ordinary pages gain with JavaScript; all of them work without.
import { text, minutesAndSeconds } from "./text";
import { startIdleClock } from "./idle";
import { offerToShowPasswords } from "./reveal";
import { tickRules } from "./rules";
import { followTheMessage } from "./way";

/**
 * Focus goes to what went wrong: to the field to write in again, which carries
 * the fault as its description, where both are in view; else to the fault.
 */
function goToFault(): void {
  const fault = document.querySelector<HTMLElement>("#fault");
  if (!fault) return;
  const fields = [...document.querySelectorAll<HTMLInputElement>("input[aria-invalid]")];
  const field = fields.find((one) => one.value === "") ?? fields[0];
  if (field && field.getBoundingClientRect().bottom < window.innerHeight) field.focus();
  else fault.focus();
}

/** Counts down to when the text message can be sent again; what it returns moves that moment. */
function countDownToResend(): (seconds: number) => void {
  const form = document.querySelector<HTMLFormElement>(".resend");
  const button = form?.querySelector("button");
  const when = document.querySelector<HTMLElement>("#resend-when");
  const seconds = Number(form?.dataset["resendIn"] ?? 0);
  if (!form || !button || !when || seconds <= 0) return () => undefined;
  let due = Date.now() + seconds * 1000;
  button.disabled = true;
  const show = (): void => {
    const left = (due - Date.now()) / 1000;
    if (left > 0) {
      when.textContent = text("app.js.resend-in", { time: minutesAndSeconds(left) });
      return;
    }
    window.clearInterval(timer);
    button.disabled = false;
    when.setAttribute("role", "status");
    when.textContent = text("app.js.resend-now");
  };
  const timer = window.setInterval(show, 500);
  show();
  return (left) => {
    due = Math.min(due, Date.now() + left * 1000); // sooner, since the message did not arrive
  };
}

const resendAfterMs = 10_000;

/** A form is sent once: a second click while the server works does nothing. */
function sendOnce(): void {
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset["sent"] !== undefined) event.preventDefault();
      form.dataset["sent"] = "";
      window.setTimeout(() => delete form.dataset["sent"], resendAfterMs); // the person may have stopped it
    });
  }
  // Back to a kept page: its forms can be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) delete form.dataset["sent"];
  });
}

goToFault();
offerToShowPasswords();
tickRules();
followTheMessage(countDownToResend());
sendOnce();
startIdleClock();
