// Does with the TypeScript client what the lines on its standard input say, and answers each with a line.
import { createInterface } from "node:readline";

const { Canongate } = await import(process.argv[2]);
const clients = [];
const streams = [];
const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));

const work = {
  make: ({ address, options }) => clients.push(new Canongate(address, made(options))) - 1,
  call: ({ client, name, values, options }) => clients[client][name](...values, options),
  stream: ({ client, values, options }) => streams.push(clients[client].stream(...values, options)) - 1,
  next: ({ stream }) => streams[stream].next(),
  leave: ({ stream }) => streams[stream].return(),
  stop: ({ client, values, afterMs }) => clients[client].chat(...values, { signal: AbortSignal.timeout(afterMs) }),
  play,
};

/** Plays a call with replies that are given in turn; its time passes only while it pauses. */
async function play({ heard, message, retrying, tookMs, options, isStreamed }) {
  let now = 100_000;
  const told = { sent: [], pauses: [] };
  const waits = globalThis.setTimeout;
  const timers = [];
  const send = async (address, { method, headers, body, signal }) => {
    const { pathname: path } = new URL(address);
    told.sent.push({ method, path, headers, body, timeoutMs: timers.at(-1) });
    now += tookMs;
    const one = heard.shift();
    if (one.isLate) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    if (one.isLost) throw new TypeError("fetch failed");
    const hasBody = ![204, 205, 304].includes(one.status);
    return new Response(hasBody ? ReadableStream.from(one.pieces.map(bytes)) : null, one);
  };
  const pause = async (seconds) => {
    told.pauses.push(seconds);
    now += seconds * 1000;
  };
  const played = new Canongate("http://gateway.test/v1/", {
    key: "k",
    assistant: "desk",
    fetch: send,
    retrying: { ...made({ retrying }).retrying, pause, clock: () => now },
  });
  const isLate = heard.some((one) => one.isLate);
  globalThis.setTimeout = (done, ms) => {
    timers.push(ms);
    return waits(done, isLate ? 0 : ms);
  };
  try {
    if (isStreamed) for await (const event of played.stream(message, options)) (told.events ??= []).push(event);
    else told.value = await played.chat(message, options);
  } catch (error) {
    told.error = errorOf(error);
  } finally {
    globalThis.setTimeout = waits;
  }
  return told;
}

function made({ retrying, ...options }) {
  return { ...options, retrying: { ...retrying, chance: () => retrying.chance } };
}

function errorOf(error) {
  const { name, message, code, status, param, requestId, retryAfterS, mayRetry } = error;
  return { name, message, code, status, param, requestId, retryAfterS, mayRetry, words: String(error) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { work: name, ...told } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await work[name](told)) ?? null };
  } catch (error) {
    answer = { error: errorOf(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
