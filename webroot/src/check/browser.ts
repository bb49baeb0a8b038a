// What a browser must be able to do for the pages and the desktops.

const tests: Record<string, () => boolean | Promise<boolean>> = {
  WebSocket: () => "WebSocket" in window,
  canvas: () => {
    const pen = document.createElement("canvas").getContext("2d");
    if (!pen) return false;
    pen.fillStyle = "#0a0";
    pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data[1] === 0xaa; // some extensions falsify what is read
  },
  images: () => shows("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
  blob: () => {
    const address = URL.createObjectURL(new Blob(["x"]));
    URL.revokeObjectURL(address);
    return address !== "";
  },
  dialog: () => "HTMLDialogElement" in window,
  pointer: () => "PointerEvent" in window,
  crypto: () => typeof crypto.randomUUID === "function",
  fetch: () => "fetch" in window && "timeout" in AbortSignal,
};

function shows(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
    image.src = address;
  });
}

/** The names of what this browser lacks. */
export async function missing(): Promise<string[]> {
  const lacking: string[] = [];
  for (const [name, test] of Object.entries(tests)) {
    let can = false;
    try {
      can = await test();
    } catch {
      // It cannot.
    }
    if (!can) lacking.push(name);
  }
  return lacking;
}
