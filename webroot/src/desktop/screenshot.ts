// The desktop's picture, saved as a file on this computer.
import type * as Guacamole from "@glokon/guacamole-common-js";

/** Saves what the desktop shows, named by target and time; false: there is nothing to save. */
export async function saveScreenshot(client: Guacamole.Client, target: string): Promise<boolean> {
  const canvas = client.getDisplay().flatten();
  if (canvas.width === 0) return false;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) return false;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${target} ${fileTime()}.png`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return true;
}

/** "2026-03-01 14.05.09": sorts by time, and Windows takes no colon in a name. */
export function fileTime(now = new Date()): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${day} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(".")}`;
}
