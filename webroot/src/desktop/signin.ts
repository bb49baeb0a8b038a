// The second sign-in box: guacd asks with "required" for what the target wants
// to know, and is answered by one argv stream per name.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { text } from "../text";
import type { Target } from "./target";

export class SignIn {
  private readonly dialog: HTMLDialogElement;
  private readonly fault: HTMLElement;
  private client: Guacamole.Client | null = null;
  private wanted: string[] = [];

  constructor(
    pane: HTMLElement,
    target: Target,
    private readonly answered: () => void,
    private readonly cancelled: () => void,
  ) {
    this.dialog = within<HTMLDialogElement>(pane, "sign-in");
    this.fault = within(pane, "sign-in-fault");
    const heading = within(pane, "sign-in-heading");
    heading.textContent = text("desktop.js.sign-in-heading", { target: target.name });
    this.dialog.setAttribute("aria-label", heading.textContent);
    for (const [name, field, input] of this.fields()) {
      input.id = `${name}-${target.id}`; // there may be several such boxes on the page
      field.querySelector("label")?.setAttribute("for", input.id);
    }
    within(pane, "sign-in-cancel").addEventListener("click", () => this.cancel());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.cancel();
    });
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.answer();
    });
  }

  /** Asks the person for these parameters; fault is what went wrong last time, or "". */
  ask(client: Guacamole.Client, parameters: string[], fault: string): void {
    this.client = client;
    this.wanted = parameters;
    this.fault.textContent = fault;
    this.fault.hidden = fault === "";
    for (const [name, field, input] of this.fields()) {
      field.hidden = !parameters.includes(name);
      input.required = !field.hidden && name !== "domain";
    }
    // Not modal: the other desktops on the page go on.
    if (!this.dialog.open) this.dialog.show();
    this.focus();
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  /** To the field to fill in: the last one, where what stands before it was typed already. */
  focus(): void {
    let first: HTMLInputElement | null = null;
    for (const [, field, input] of this.fields()) {
      if (!field.hidden && (first === null || first.value !== "")) first = input;
    }
    first?.focus();
  }

  close(): void {
    this.wipe();
    this.client = null;
    if (this.dialog.open) this.dialog.close();
  }

  private answer(): void {
    const client = this.client;
    if (!client) return;
    const values = new Map<string, string>();
    for (const [name, , input] of this.fields()) values.set(name, input.value);
    // guacd waits for every name that it asked for, also one without a field.
    for (const name of this.wanted) {
      const writer = new Guacamole.StringWriter(client.createArgumentValueStream("text/plain", name));
      writer.sendText(values.get(name) ?? "");
      writer.sendEnd();
    }
    this.close();
    this.answered();
  }

  private cancel(): void {
    this.close();
    this.cancelled();
  }

  /** The password is never kept; the name stays for another try. */
  private wipe(): void {
    for (const [name, , input] of this.fields()) if (name === "password") input.value = "";
  }

  private *fields(): Generator<[string, HTMLElement, HTMLInputElement]> {
    for (const field of this.dialog.querySelectorAll<HTMLElement>("[data-parameter]")) {
      const input = field.querySelector("input");
      if (input) yield [field.dataset["parameter"] ?? "", field, input];
    }
  }
}
