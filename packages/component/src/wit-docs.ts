/**
 * The documentation comments of WIT text, by what they document. Types are not its business: the tools know them.
 *
 * Keys: `world shop`, `world shop#add-message`, `example:shop/carts`, `example:shop/carts#total`,
 * `example:shop/carts#[method]cart.add`, `example:shop/carts#item`, `example:shop/carts#item.unit-price`.
 *
 * @module
 */

/** What the text documents, and which worlds it has. */
export interface WitDocs {
  readonly docs: ReadonlyMap<string, string>;
  readonly worlds: readonly string[];
}

const tokenPattern =
  /\/\/\/[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/|@[a-z-]+\([^)]*\)|%?[A-Za-z][\w-]*|->|\S/g;

export function readWitDocs(text: string): WitDocs {
  const reader = new DocsReader(text.match(tokenPattern) ?? []);
  reader.read();
  return reader;
}

/** What a brace opens. */
interface Scope {
  readonly kind: "package" | "interface" | "world" | "resource" | "members";
  /** What the keys of its items start with. */
  readonly prefix: string;
}

const declarations: ReadonlySet<string> = new Set(["record", "variant", "enum", "flags"]);

class DocsReader implements WitDocs {
  readonly docs = new Map<string, string>();
  readonly worlds: string[] = [];
  readonly #tokens: readonly string[];
  readonly #scopes: Scope[] = [];
  #package = "";
  #pending: string[] = [];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  read(): void {
    while (this.#at < this.#tokens.length) {
      const token = this.#next();
      const comment = commentText(token);
      if (comment !== undefined) this.#pending.push(...comment);
      else if (token === "}") this.#scopes.pop();
      else if (token === "{") this.#open("members", "");
      else if (!token.startsWith("@")) this.#item(token);
    }
  }

  /** `word` still has the `%` that makes a name of a keyword. */
  #item(word: string): void {
    const scope = this.#scopes.at(-1);
    if (scope?.kind === "members") this.#member(scope, unescaped(word));
    else if (scope === undefined || scope.kind === "package") this.#topLevel(word);
    else this.#inside(scope, word);
    this.#pending = [];
  }

  #topLevel(word: string): void {
    if (word === "package") {
      const name = this.#until(["{", ";"]).replace(/@.*$/, "");
      this.#package = name;
      if (this.#tokens[this.#at - 1] === "{") this.#open("package", "");
    } else if (word === "interface" || word === "world") {
      const name = this.#name();
      const key = word === "world" ? `world ${name}` : `${this.#package}/${name}`;
      if (word === "world") this.worlds.push(name);
      this.#keep(key);
      this.#until(["{"]);
      this.#open(word, `${key}#`);
    } else {
      this.#until([";"]);
    }
  }

  /** A declaration or a function of an interface, a world or a resource. */
  #inside(scope: Scope, word: string): void {
    if (word === "import" || word === "export") {
      const name = this.#name();
      const kind = this.#tokens[this.#at + 1];
      if (this.#tokens[this.#at] !== ":" || !["func", "async", "interface"].includes(kind!)) {
        this.#until([";"]);
        return;
      }
      this.#keep(`${scope.prefix}${name}`);
      this.#until(kind === "interface" ? ["{"] : [";"]);
      if (kind === "interface") this.#open("interface", `${name}#`);
      return;
    }
    if (declarations.has(word) || word === "resource") {
      const name = this.#name();
      this.#keep(`${scope.prefix}${name}`);
      this.#until(["{", ";"]);
      if (this.#tokens[this.#at - 1] !== "{") return;
      if (word === "resource") this.#open("resource", `${scope.prefix}|${name}`);
      else this.#open("members", `${scope.prefix}${name}.`);
      return;
    }
    if (word === "type") this.#keep(`${scope.prefix}${this.#name()}`);
    else if (this.#tokens[this.#at] === ":" || word === "constructor")
      this.#function(scope, unescaped(word));
    this.#until([";"]);
  }

  #function(scope: Scope, word: string): void {
    if (scope.kind !== "resource") {
      this.#keep(`${scope.prefix}${word}`);
      return;
    }
    const [owner = "", resource = ""] = scope.prefix.split("|");
    const isStatic = this.#tokens[this.#at + 1] === "static";
    const key = word === "constructor" ? resource : `${resource}.${word}`;
    const kind = word === "constructor" ? "constructor" : isStatic ? "static" : "method";
    this.#keep(`${owner}[${kind}]${key}`);
  }

  /** A field, a case or a flag: up to the comma after it. */
  #member(scope: Scope, name: string): void {
    this.#keep(`${scope.prefix}${name}`);
    let depth = 0;
    while (this.#at < this.#tokens.length) {
      const token = this.#tokens[this.#at]!;
      if (token === "<" || token === "(") depth += 1;
      if (token === ">" || token === ")") depth -= 1;
      if (depth === 0 && token === "}") return;
      this.#at += 1;
      if (depth === 0 && token === ",") return;
    }
  }

  #open(kind: Scope["kind"], prefix: string): void {
    this.#scopes.push({ kind, prefix });
  }

  #keep(key: string): void {
    if (this.#pending.length > 0) this.docs.set(key, this.#pending.join("\n"));
  }

  #name(): string {
    return unescaped(this.#next());
  }

  #next(): string {
    const token = this.#tokens[this.#at] ?? "";
    this.#at += 1;
    return token;
  }

  /** Skips over the first of some tokens. Returns what was before it. */
  #until(ends: readonly string[]): string {
    let skipped = "";
    while (this.#at < this.#tokens.length) {
      const token = this.#next();
      if (ends.includes(token)) return skipped;
      skipped += token;
    }
    return skipped;
  }
}

function unescaped(name: string): string {
  return name.startsWith("%") ? name.slice(1) : name;
}

/** The lines of a documentation comment; none for another comment; undefined for what is no comment. */
function commentText(token: string): string[] | undefined {
  if (token.startsWith("///")) return [token.slice("///".length).trim()];
  if (token.startsWith("/**"))
    return token
      .slice("/**".length, -"*/".length)
      .split("\n")
      .map((line) => line.trim().replace(/^\* ?/, ""))
      .filter((line) => line !== "");
  return token.startsWith("//") || token.startsWith("/*") ? [] : undefined;
}
