import { text } from "./text";

/** Gives every password field a button that shows what is typed. */
export function offerToShowPasswords(root: ParentNode = document): void {
  for (const frame of root.querySelectorAll<HTMLElement>(".reveal")) {
    const input = frame.querySelector("input");
    if (!input) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-controls", input.id);
    const show = (shown: boolean): void => {
      input.type = shown ? "text" : "password";
      button.textContent = text(shown ? "app.js.hide" : "app.js.show");
      button.setAttribute("aria-label", text(shown ? "app.js.hide-label" : "app.js.show-label"));
    };
    button.addEventListener("click", () => {
      show(input.type === "password");
      input.focus();
    });
    // Never leave a password readable in a form that is sent or kept.
    input.form?.addEventListener("submit", () => show(false));
    show(false);
    frame.classList.add("able");
    frame.append(button);
  }
}
