// <canongate-chat>: attributes, properties, methods and events, and what they have to do with each other.
// Styles and views come first: what is alike then lies close together, which saves 70 bytes of the bundle.
import styles from "./styles.css";
import { ATTRIBUTES, settingsOf, themeRules, type Settings } from "./settings";
import { h } from "./dom";
import { Voice } from "./voice";
import { Panel } from "./view/panel";
import { Frame } from "./view/frame";
import { deskOf, type Desk } from "./view/desk";
import { Announcer } from "./announcer";
import { begin, type Live } from "./live";
import { Host } from "./host";
import type { Turn } from "./turn";
import { isStatus, Refusal, type Configuration } from "./wire";

const SHARED = new CSSStyleSheet();
SHARED.replaceSync(styles);

export class CanongateChat extends Host {
  static readonly observedAttributes = ATTRIBUTES;

  readonly #root = h("div", { class: "root" });
  readonly #theme = new CSSStyleSheet();
  readonly #announcer = new Announcer();
  readonly #voice = new Voice(this.#announcer);
  #isDrawing = false;
  #configuration: Configuration | null = null;
  #live: Live | null = null;
  #desk!: Desk;
  #settings!: Settings;
  #panel!: Panel;
  #frame: Frame | null = null;
  #opener: Element | null = null;
  #wasOpen = false;
  #isSignedOut = false;
  /** Why there is no configuration. */
  #trouble: "unavailable" | "not_here" | null = null;
  #isWarm = false;
  #isResumed = false;
  #leaving = new AbortController();

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [SHARED, this.#theme];
    shadow.append(this.#root);
    this.#root.addEventListener("focusin", () => void this.#warm());
  }

  connectedCallback(): void {
    if (this.#live) return; // it was only moved
    this.upgrade();
    this.#start();
  }

  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (!this.isConnected) this.#end();
    });
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.#live || before === after) return;
    if (name === "open") this.#show();
    else if (name === "server" || name === "client" || name === "lang") {
      this.#end();
      this.#start();
    } else this.build();
  }

  open(): void {
    if (!this.hasAttribute("open")) {
      this.#opener = document.activeElement;
      this.toggleAttribute("open", true);
    }
    this.focusInput();
  }

  close(): void {
    if (!this.hasAttribute("open")) return;
    this.toggleAttribute("open", false);
    const { launcher } = this.#frame!;
    if (!launcher.hidden) launcher.focus();
    else (this.#opener as HTMLElement | null)?.focus();
  }

  toggle(): void {
    if (this.hasAttribute("open")) this.close();
    else this.open();
  }

  /** Asks a question as if it had been typed; false where it is too long, or one is still on its way. */
  ask(text: string): boolean {
    if (!this.#isOpen) this.open();
    return !!this.#live && this.#panel.composer.room(text) >= 0 && this.#live.conversation.ask(text);
  }

  stop(): void {
    this.#live?.conversation.stop();
  }

  /** Begins a new conversation; what was said is forgotten. */
  reset(): void {
    this.#announcer.clear();
    void this.#live?.conversation.reset();
    if (this.#isOpen) {
      this.#announcer.say(this.#settings.texts.of("reset_done"));
      this.focusInput();
    }
    this.emit("reset");
  }

  focusInput(): void {
    this.#panel.composer.input.focus();
  }

  get #isOpen(): boolean {
    return this.hasAttribute("open") || this.hasAttribute("inline");
  }

  #start(): void {
    this.#live = begin(this, {
      asked: (turn) => this.#asked(turn),
      changed: (turn) => this.#onChange(turn),
      replaced: () => this.#draw(true),
      answered: (turn) => this.#answered(turn),
      failed: (turn, error) => this.#failed(turn, error),
    });
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#network(), { signal });
    this.build();
    void this.#configure();
  }

  protected vouched(): void {
    if (!this.#live) return;
    const { gateway, conversation } = this.#live;
    gateway.session.drop();
    this.#isSignedOut = this.#isWarm = false;
    this.#isResumed = !!conversation.last; // what nobody was told may be this person's
    if (this.#isOpen) this.#resume();
    this.#notice();
  }

  #end(): void {
    this.#leaving.abort();
    this.#frame?.close();
    this.#live?.conversation.leave();
    this.#live?.memory.close();
    this.#live = this.#frame = this.#configuration = null;
    this.#isResumed = this.#isWarm = this.#isSignedOut = false;
    this.#trouble = null;
  }

  async #configure(): Promise<void> {
    const { gateway } = this.#live!;
    try {
      const configuration = await gateway.configuration();
      if (this.#live?.gateway !== gateway) return;
      const isFirst = !this.#configuration;
      this.#configuration = configuration;
      this.#trouble = null;
      if (!isFirst) return this.#notice();
      this.build();
      this.emit("ready", { version: configuration.version });
    } catch (error) {
      if (this.#live?.gateway !== gateway) return;
      this.#trouble = isStatus(error, 403) ? "not_here" : "unavailable";
      this.#notice(true);
      this.emit("error", { code: codeOf(error) });
    }
  }

  /** Makes the shadow tree anew out of what there is; what was typed stays, and the focus too. */
  protected build(): void {
    if (!this.#live) return;
    const settings = (this.#settings = settingsOf(this, this.#configuration, this.strings));
    const before = this.#panel?.composer;
    const hadFocus = before?.input.matches(":focus");
    this.#frame?.close();
    this.#theme.replaceSync(themeRules(this.#configuration?.theme ?? null));
    this.#desk = deskOf(settings, this.#configuration, this.#live, {
      focus: () => this.focusInput(),
      judged: (verdict) => this.emit("feedback", { ...verdict }),
      say: (text) => this.#announcer.say(text),
      point: (next) => {
        const { input } = this.#panel.composer;
        if (input.matches(":focus") && !input.value) next.querySelector<HTMLElement>(".field,button")!.focus();
      },
    });
    this.#panel = new Panel(this.#desk, settings, this, this.#announcer.node);
    this.#root.lang = settings.lang;
    this.#root.dir = settings.dir;
    this.#root.className = `root ${settings.position} ${settings.isInline ? "inline" : "floating"}`;
    this.#frame = new Frame(this.#root, this.#panel.node, settings.texts, settings, this);
    if (before) this.#panel.composer.draft = before.draft;
    this.#show();
    if (hadFocus) this.focusInput();
  }

  #show(): void {
    const isOpen = this.#isOpen;
    const isTurned = this.#wasOpen !== isOpen && !this.hasAttribute("inline");
    this.#frame!.show(isOpen);
    if (isOpen) this.#resume();
    else this.#announcer.clear();
    this.#draw(true);
    this.#notice(isTurned && !this.#trouble); // which is asked after first
    if (isOpen && this.#trouble) void this.#configure();
    if (!isTurned) return;
    this.#wasOpen = isOpen;
    this.emit(isOpen ? "open" : "close");
  }

  /** Takes up the conversation of before a reload, when somebody looks: before that nothing is asked of the gateway. */
  #resume(): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    const panel = this.#panel;
    panel.isResuming = true;
    void this.#live!.conversation.resume().finally(() => {
      panel.isResuming = this.#panel.isResuming = false;
      this.#draw(true);
    });
  }

  /** Opens a session before the first question, so that it does not wait for one. */
  async #warm(): Promise<void> {
    if (this.#isWarm || !this.#live) return;
    this.#isWarm = true;
    const { gateway } = this.#live;
    try {
      await gateway.session.bearer((await gateway.configuration()).sign_in);
    } catch (error) {
      if (!isStatus(error, 401) || this.#live?.gateway !== gateway) return;
      this.#isSignedOut = true;
      this.#notice(true);
    }
  }

  /** Shows what stands in the way, and tells it where it is news. */
  #notice(isNews?: boolean): void {
    if (!this.#frame) return;
    const last = this.#live?.conversation.last;
    const isSignedOut = this.#isSignedOut && last?.trouble !== "signed_out";
    const told = this.#panel.notice(isSignedOut ? "signed_out" : last ? null : this.#trouble, () => void this.#configure());
    if (isNews && this.#isOpen) this.#announcer.say(told);
  }

  #network(): void {
    this.#notice();
    if (this.#isOpen) this.#announcer.say(this.#settings.texts.of(navigator.onLine ? "online" : "offline"));
    if (navigator.onLine && this.#trouble) void this.#configure();
  }

  #asked(turn: Turn): void {
    this.#draw(true);
    this.#panel.log.reveal(turn);
    this.#onChange(turn);
    this.emit("message", { role: "user", text: turn.message });
  }

  #draw(isOther: boolean): void {
    if (!this.#live) return;
    const { conversation } = this.#live;
    if (isOther) this.#panel.log.show(conversation.turns);
    else this.#panel.log.update(conversation.turns);
    this.#panel.composer.isBusy = conversation.isBusy;
  }

  /** Shows what has changed at the next frame; words come faster than anybody sees them. */
  #onChange(turn: Turn): void {
    if (this.#isOpen) this.#voice.changed(this.#desk, turn);
    this.#notice();
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#draw(false);
    });
  }

  #answered({ answer }: Turn): void {
    const { id, outcome, text, conversation, prompt, suggestions } = answer!;
    if (!this.#isOpen) this.#frame?.news();
    this.#isSignedOut = false;
    if (!this.#configuration) void this.#configure();
    this.emit("message", { role: "assistant", id, outcome, text, conversation, prompt, suggestions });
  }

  #failed(turn: Turn, error: unknown): void {
    if (!this.#isOpen) this.#frame?.news();
    this.emit("error", { code: codeOf(error), "trouble": turn.trouble });
  }
}

function codeOf(error: unknown): string {
  return (error instanceof Refusal && error.code) || "unreachable";
}
