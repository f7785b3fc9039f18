/**
 * Reads the world of a component from its WIT text, as jco prints it.
 *
 * @module
 */
import {
  type Primitive,
  primitives,
  type WitCase,
  type WitField,
  type WitFunction,
  type WitType,
  type WitWorld,
} from "./wit-type.ts";

const tokenPattern = /\/\/[^\n]*|\/\*[^]*?\*\/|->|%?[A-Za-z_][\w-]*|\d[\w.+-]*|[^\s]/g;

/** The first world of the text. Interfaces it exports are left out: only its own functions are callable. */
export function parseWorld(text: string): WitWorld {
  const tokens = (text.match(tokenPattern) ?? []).filter((token) => !/^\/[/*]/.test(token));
  const start = tokens.indexOf("world");
  if (start < 0) throw new SyntaxError("there is no world in the component's WIT");
  return new WorldParser(tokens.slice(start + 3)).world();
}

class WorldParser {
  readonly #tokens: readonly string[];
  readonly #types = new Map<string, WitType>();
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  world(): WitWorld {
    const imports: WitFunction[] = [];
    const exports: WitFunction[] = [];
    const importedInterfaces: string[] = [];
    while (!this.#accept("}")) {
      const keyword = this.#next();
      if (keyword === "import" || keyword === "export") {
        const found = this.#item();
        if (typeof found !== "string") (keyword === "import" ? imports : exports).push(found);
        else if (keyword === "import") importedInterfaces.push(found);
      } else {
        this.#declaration(keyword);
      }
    }
    return { imports, importedInterfaces, exports };
  }

  /** What follows `import` or `export`: a function, or the name of an interface. */
  #item(): WitFunction | string {
    const name = this.#next();
    if (this.#peek() === ":" && ["func", "async"].includes(this.#peek(1))) {
      this.#expect(":");
      return this.#function(unescaped(name));
    }
    let path = name;
    while (this.#peek() !== ";" && this.#peek() !== "{") path += this.#next();
    if (this.#peek() === "{") this.#skipBlock();
    else this.#expect(";");
    return path.replace(/@.*$/, "");
  }

  #function(name: string): WitFunction {
    const start = this.#at;
    this.#accept("async");
    this.#expect("func");
    this.#expect("(");
    const params = this.#fields(")");
    const result = this.#accept("->") ? this.#type() : undefined;
    const signature = printed(this.#tokens.slice(start, this.#at));
    this.#expect(";");
    return { name, params, result, signature };
  }

  #declaration(keyword: string): void {
    const name = this.#next();
    switch (keyword) {
      case "type":
        this.#expect("=");
        this.#types.set(name, this.#type());
        this.#expect(";");
        return;
      case "record":
        this.#expect("{");
        this.#types.set(name, { kind: "record", fields: this.#fields("}") });
        return;
      case "variant":
        this.#expect("{");
        this.#types.set(name, { kind: "variant", cases: this.#cases() });
        return;
      case "enum":
      case "flags":
        this.#expect("{");
        this.#types.set(name, { kind: keyword, names: this.#cases().map((each) => each.name) });
        return;
      default:
        this.#skipDeclaration();
    }
  }

  /** `use`, `resource` and what is not known yet: to the end of its block or statement. */
  #skipDeclaration(): void {
    while (this.#peek() !== ";" && this.#peek() !== "{") this.#next();
    if (this.#peek() === "{") this.#skipBlock();
    this.#accept(";");
  }

  #skipBlock(): void {
    let depth = 0;
    do {
      const token = this.#next();
      if (token === "{") depth += 1;
      if (token === "}") depth -= 1;
    } while (depth > 0);
  }

  #fields(end: string): WitField[] {
    const fields: WitField[] = [];
    while (!this.#accept(end)) {
      const name = unescaped(this.#next());
      this.#expect(":");
      fields.push({ name, type: this.#type() });
      this.#accept(",");
    }
    return fields;
  }

  #cases(): WitCase[] {
    const cases: WitCase[] = [];
    while (!this.#accept("}")) {
      const name = unescaped(this.#next());
      let type: WitType | undefined;
      if (this.#accept("(")) {
        type = this.#type();
        this.#expect(")");
      }
      cases.push({ name, type });
      this.#accept(",");
    }
    return cases;
  }

  #type(): WitType {
    const name = this.#next();
    if ((primitives as readonly string[]).includes(name))
      return { kind: "primitive", name: name as Primitive };
    if (name === "list" || name === "option") return { kind: name, of: this.#arguments()[0]! };
    if (name === "tuple") return { kind: "tuple", items: this.#arguments() as WitType[] };
    if (name === "result") {
      const [ok, err] = this.#peek() === "<" ? this.#arguments() : [];
      return { kind: "result", ok, err };
    }
    if (this.#peek() === "<") this.#arguments();
    return this.#types.get(name) ?? { kind: "opaque", name };
  }

  /** `<a, b>`; `_` is no type. */
  #arguments(): (WitType | undefined)[] {
    const types: (WitType | undefined)[] = [];
    this.#expect("<");
    while (!this.#accept(">")) {
      types.push(this.#accept("_") ? undefined : this.#type());
      this.#accept(",");
    }
    return types;
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? "";
  }

  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new SyntaxError("the component's WIT ends in the middle");
    this.#at += 1;
    return token;
  }

  #accept(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found !== token) throw new SyntaxError(`expected ${token} in WIT, found ${found}`);
  }
}

function unescaped(name: string): string {
  return name.startsWith("%") ? name.slice(1) : name;
}

function printed(tokens: readonly string[]): string {
  return tokens
    .join(" ")
    .replaceAll(/ ?([(<>),:]) ?/g, "$1")
    .replaceAll(/([,:])/g, "$1 ")
    .replaceAll(/ ?-> ?| ?->/g, " -> ");
}
