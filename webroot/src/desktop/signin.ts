// The second sign-in box: guacd asks with "required" for what the target wants
// to know, and is answered by one argv stream per name.
import * as Guacamole from "@glokon/guacamole-common-js";
import { part } from "../page";

export class SignIn {
  private readonly dialog = part<HTMLDialogElement>("sign-in");
  private readonly fault = part("sign-in-fault");
  private client: Guacamole.Client | null = null;
  private wanted: string[] = [];

  constructor(
    private readonly answered: () => void,
    private readonly cancelled: () => void,
  ) {
    part("sign-in-cancel").addEventListener("click", () => this.cancel());
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.cancel();
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
    let first: HTMLInputElement | null = null;
    for (const [name, field, input] of this.fields()) {
      field.hidden = !parameters.includes(name);
      input.required = !field.hidden && name !== "domain";
      if (!field.hidden && (first === null || first.value !== "")) first = input;
    }
    if (!this.dialog.open) this.dialog.showModal();
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
