// What TestBrowserAccess asks a page; an expression, evaluated there by the
// DevTools protocol. Each answer is a list of complaints, empty when all is well.
(() => {
  // The remote desktop's picture is as large as it is: the rules are for what is around it.
  const picture = ".display";
  const actionable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex^='-'])";

  /** What the person can get at: the dialog that is open, or the page. */
  const scope = () => [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;

  /** The window's width; a phone's innerWidth grows with a page that is too wide. */
  const across = () => document.documentElement.clientWidth;

  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const unseen = (e) => e.closest(".unseen") !== null || getComputedStyle(e).clipPath === "inset(50%)";
  const inPicture = (e) => e.closest(picture) !== null;

  const name = (e) => {
    const id = e.id ? `#${e.id}` : "";
    const words = (e.getAttribute("aria-label") ?? e.innerText ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${e.localName}${id}${e.className ? `.${e.className}` : ""}${words ? ` "${words}"` : ""}`;
  };

  const actions = () => [...scope().querySelectorAll(actionable)].filter((e) => shown(e) && !e.disabled && !inPicture(e));
  const stops = () => actions().filter((e) => e.tabIndex >= 0);

  /** What is pressed for an action: a field that cannot be seen is worked by its label. */
  const face = (e) => (unseen(e) && e.labels?.length ? e.labels[0] : e);

  const ownText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== "");
  const texts = () => [...scope().querySelectorAll("*")].filter((e) => ownText(e) && shown(e) && !unseen(e) && !inPicture(e) && !e.closest("svg"));

  /** 2.5.8: 24 by 24 CSS pixels; a link within a sentence is as high as its line. */
  const targets = () => {
    const inSentence = (e) => getComputedStyle(e).display === "inline" && e.parentElement.innerText.trim().length > e.innerText.trim().length + 3;
    return actions().filter((e) => !inSentence(e)).flatMap((e) => {
      const { width, height } = face(e).getBoundingClientRect();
      return width >= 24 && height >= 24 ? [] : [`${name(e)} is ${width.toFixed(1)} x ${height.toFixed(1)} px`];
    });
  };

  /** Is the element, scrolled to, inside of the window and on top? */
  const lookAt = (e) => {
    e.scrollIntoView({ block: "center", inline: "nearest" });
    const box = e.getClientRects()[0] ?? e.getBoundingClientRect();
    const all = e.getBoundingClientRect();
    if (all.left < -1 || all.right > across() + 1) return `reaches from ${Math.round(all.left)} to ${Math.round(all.right)} px of ${across()}`;
    if (box.bottom < 1 || box.top > innerHeight - 1) return `is out of the window, at ${Math.round(box.top)} px of ${innerHeight}`;
    if (box.height <= innerHeight && (box.top < -1 || box.bottom > innerHeight + 1)) return `is cut off, from ${Math.round(box.top)} to ${Math.round(box.bottom)} px of ${innerHeight}`;
    const x = Math.min(Math.max((box.left + box.right) / 2, 0), across() - 1);
    const y = Math.min(Math.max((box.top + Math.min(box.bottom, innerHeight)) / 2, 0), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    if (top && !e.contains(top) && !top.contains(e)) return `lies under ${name(top)}`;
    return "";
  };

  /** 1.4.10, 1.4.12: nothing scrolls sideways, is cut or cannot be got at. */
  const lost = () => {
    const complaints = [];
    const page = document.scrollingElement;
    if (page.scrollWidth > across()) complaints.push(`the page is ${page.scrollWidth} px wide in a window of ${across()}`);
    for (const e of scope().querySelectorAll("*")) {
      if (!shown(e) || unseen(e) || inPicture(e) || e.closest("svg") || e.matches("input, textarea, .skip")) continue;
      const style = getComputedStyle(e);
      const cuts = /hidden|clip/;
      if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) {
        if (cuts.test(style.overflowX)) complaints.push(`${name(e)} cuts its text: ${e.scrollWidth} px in ${e.clientWidth}`);
        else if (e.matches("#tabs")) continue; // they wrap in the tools
        // 1.4.10 leaves out what has two dimensions: a table of data, a chart. The keyboard scrolls it.
        else if (e.matches(".scroll[tabindex='0']") && e.querySelector("table, svg")) continue;
        else if (/auto|scroll/.test(style.overflowX)) complaints.push(`${name(e)} scrolls sideways: ${e.scrollWidth} px in ${e.clientWidth}`);
        else if (e.matches("button, .button, .tool, .card, label")) complaints.push(`${name(e)} is too narrow: ${e.scrollWidth} px in ${e.clientWidth}`);
      }
      if (e.scrollHeight > e.clientHeight + 2 && e.clientHeight > 0 && (cuts.test(style.overflowY) || e.matches("button, .button, .tool"))) {
        complaints.push(`${name(e)} is too low: ${e.scrollHeight} px in ${e.clientHeight}`);
      }
    }
    for (const e of new Set([...texts(), ...actions().map(face)])) {
      if (e.closest(".skip, .unseen, .edge-bar")) continue; // in the window when they have the focus
      const why = lookAt(e);
      if (why) complaints.push(`${name(e)} ${why}`);
    }
    page.scrollTo(0, 0);
    return complaints;
  };

  /** 1.4.12: the spacing that people may set for themselves. */
  const space = () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-bottom: 2em !important }");
    document.adoptedStyleSheets = [sheet];
    const complaints = lost();
    document.adoptedStyleSheets = [];
    return complaints;
  };

  /** 2.3.3: what moves, or would move, where less motion is asked for. */
  const moving = () => {
    const complaints = document.getAnimations()
      .filter((a) => Number(a.effect?.getComputedTiming().activeDuration) > 0)
      .map((a) => `${name(a.effect.target)} moves: ${a.animationName ?? a.transitionProperty}`);
    for (const e of document.querySelectorAll("*")) {
      for (const pseudo of [null, "::before", "::after"]) {
        const style = getComputedStyle(e, pseudo);
        const durations = `${style.transitionDuration}, ${style.animationDuration}`.split(", ");
        if (durations.some((d) => d !== "auto" && parseFloat(d) > 0)) complaints.push(`${name(e)}${pseudo ?? ""} would move: ${durations.join(" ")}`);
      }
    }
    return complaints;
  };

  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const colour = (css) => {
    const [r, g, b, a = 1] = css.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return [r, g, b, a];
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found[3] === 1) return found;
    }
    return [255, 255, 255, 1];
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };

  /** 2.4.7, 2.4.11, 1.4.11: what has the focus shows it, by 3:1, and is in view. */
  const focused = () => {
    const e = document.activeElement;
    if (!e || e === document.body) return { name: "", index: -1, complaints: [] };
    const complaints = [];
    const seen = face(e);
    const style = getComputedStyle(seen);
    const width = parseFloat(style.outlineWidth);
    if (style.outlineStyle === "none" || width < 2) complaints.push("does not show that it has the focus");
    else {
      const ground = behind(parseFloat(style.outlineOffset) < 0 ? seen : seen.parentElement).slice(0, 3);
      if (contrast(colour(style.outlineColor), ground) < 3) complaints.push(`shows its focus in ${style.outlineColor} on rgb(${ground}), less than 3:1`);
    }
    const box = seen.getBoundingClientRect();
    // Of what is taller than the window, as a long table, the part in it.
    const [from, to] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const points = [0.5, 0.1, 0.9].flatMap((x) => [0.5, 0.2, 0.8].map((y) => [box.left + x * box.width, from + y * (to - from)]));
    const visible = points.some(([x, y]) => {
      const top = document.elementFromPoint(x, y);
      return top && (seen.contains(top) || top.contains(seen));
    });
    if (!visible) complaints.push(`has the focus and cannot be seen, at ${Math.round(box.left)},${Math.round(box.top)}`);
    return { name: name(e), index: stops().indexOf(e), complaints: complaints.map((c) => `${name(e)} ${c}`) };
  };

  /** Every remote desktop that is shown has got the size of its frame; a row of keys over it does not count. */
  const fits = () => [...document.querySelectorAll('.pane[data-state="connected"]')].filter(shown).every((pane) => {
    const frame = pane.querySelector(picture);
    const room = frame.clientHeight + Number(document.documentElement.dataset.covered ?? 0);
    const [width, height] = [Math.max(320, frame.clientWidth), Math.max(240, room)];
    const scale = Math.min(frame.clientWidth / width, room / height);
    const box = frame.firstElementChild.getBoundingClientRect();
    return Math.abs(box.width - width * scale) < 8 && Math.abs(box.height - height * scale) < 8;
  });

  return { fits, targets, lost, space, moving, focused, stops: () => stops().map(name) };
})()
