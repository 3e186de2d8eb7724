// In a frame, the page around it vouches for the person: it is asked for a token each time that one is needed, and only
// a page of the client's own origins is asked and heard. The other side is in docs/guides/embed.md.

const ASKED = "canongate:token";
const element = document.querySelector("canongate-chat") as HTMLElement & { token: unknown };
const allowed = (element.dataset["origins"] ?? "").split(" ").filter(Boolean);

/** Gives the origins that may be asked: the one around this page where the browser tells it, which must be in the list. */
function around(): string[] {
  const known = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  // A message goes to a page of exactly the origin it names, so that where none is told the whole list can be tried.
  return known ? allowed.filter((one) => one === known) : allowed;
}

/** Asks the page around this one; what it never answers, the widget stops waiting for. */
function token(): Promise<string | null> | null {
  const asked = parent === window ? [] : around();
  if (!asked.length) return null;
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16)).join("-");
  return new Promise((resolve) => {
    const hear = ({ source, origin, data }: MessageEvent) => {
      if (source !== parent || !asked.includes(origin) || data?.type !== ASKED || data.id !== id) return;
      removeEventListener("message", hear);
      resolve(typeof data.token === "string" ? data.token : null);
    };
    addEventListener("message", hear);
    for (const one of asked) parent.postMessage({ type: ASKED, id, client: element.getAttribute("client") }, one);
  });
}

element.token = token;

export {};
