/** From tokens to a tree. Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
import type { Iteration, MapEntry, Node, StructField } from './ast.ts';
import { CelSyntaxError } from './error.ts';
import { type Token, tokenize } from './lexer.ts';
import { isReserved } from './types.ts';

/** Deeper nesting is refused. */
const MAX_DEPTH = 250;
const MAX_SOURCE = 100_000;

const RELATIONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=', 'in']);

/** @throws CelSyntaxError */
export function parse(source: string): Node {
  if (source.length > MAX_SOURCE) throw new CelSyntaxError(0, 'expression code point size exceeds limit');
  return new Parser(tokenize(source)).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#expression();
    if (this.#token.kind !== 'end') this.#unexpected('<EOF>');
    return node;
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token; // the end token is never passed
  }

  #unexpected(wanted: string): never {
    const { text, position } = this.#token;
    throw new CelSyntaxError(
      position,
      `mismatched input '${text}' expecting ${wanted === '<EOF>' ? wanted : `'${wanted}'`}`,
    );
  }

  #is(text: string): boolean {
    const token = this.#token;
    return token.text === text && (token.kind === 'op' || (token.kind === 'ident' && text === 'in'));
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#unexpected(text);
  }

  #expression(): Node {
    if (++this.#depth > MAX_DEPTH)
      throw new CelSyntaxError(this.#token.position, 'expression recursion limit exceeded');
    const condition = this.#or();
    const { position } = this.#token;
    let node = condition;
    if (this.#accept('?')) {
      const then = this.#or();
      this.#expect(':');
      node = { k: 'if', position, condition, then, otherwise: this.#expression() };
    }
    this.#depth--;
    return node;
  }

  #or(): Node {
    const operands = [this.#and()];
    const { position } = this.#token;
    while (this.#accept('||')) operands.push(this.#and());
    return balanced('or', operands, position);
  }

  #and(): Node {
    const operands = [this.#relation()];
    const { position } = this.#token;
    while (this.#accept('&&')) operands.push(this.#relation());
    return balanced('and', operands, position);
  }

  #relation(): Node {
    let left = this.#sum();
    for (let n = 0; ; n++) {
      const { text, position } = this.#token;
      if (!RELATIONS.has(text) || !this.#accept(text)) return left;
      this.#limit(n, position);
      const right = this.#sum();
      const name = text === 'in' ? '@in' : `_${text}_`;
      left = { k: 'call', position, name, args: [left, right] };
    }
  }

  #sum(): Node {
    let left = this.#product();
    for (let n = 0; ; n++) {
      const { text, position } = this.#token;
      if (!this.#accept('+') && !this.#accept('-')) return left;
      this.#limit(n, position);
      left = { k: 'call', position, name: `_${text}_`, args: [left, this.#product()] };
    }
  }

  #product(): Node {
    let left = this.#unary();
    for (let n = 0; ; n++) {
      const { text, position } = this.#token;
      if (!this.#accept('*') && !this.#accept('/') && !this.#accept('%')) return left;
      this.#limit(n, position);
      left = { k: 'call', position, name: `_${text}_`, args: [left, this.#unary()] };
    }
  }

  /** A chain is as deep as it is long. */
  #limit(n: number, position: number): void {
    if (n > MAX_DEPTH * 4) throw new CelSyntaxError(position, 'expression recursion limit exceeded');
  }

  #unary(): Node {
    const { position } = this.#token;
    if (this.#is('!') || this.#is('-')) {
      const operator = this.#token.text;
      let count = 0;
      while (this.#accept(operator)) count++;
      const next = this.#token;
      if (operator === '-' && count === 1 && (next.kind === 'int' || next.kind === 'double')) {
        // The sign belongs to the literal: the least integer has no positive form.
        this.#at++;
        const value = next.kind === 'int' ? -(next.value as bigint) : -(next.value as number);
        return this.#postfix(this.#number(value, position));
      }
      const operand = this.#unary();
      return count % 2 === 0 ? operand : { k: 'call', position, name: `${operator}_`, args: [operand] };
    }
    return this.#postfix(this.#primary());
  }

  #number(value: bigint | number, position: number): Node {
    if (typeof value === 'bigint' && (value > 9223372036854775807n || value < -9223372036854775808n)) {
      throw new CelSyntaxError(position, 'invalid int literal');
    }
    return { k: 'literal', position, value };
  }

  #postfix(first: Node): Node {
    let node = first;
    for (let n = 0; ; n++) {
      const { position } = this.#token;
      this.#limit(n, position);
      if (this.#accept('.')) {
        const optional = this.#accept('?');
        const name = this.#token;
        if (name.kind !== 'ident' && name.kind !== 'quoted') this.#unexpected('IDENTIFIER');
        if (
          name.kind === 'ident' &&
          (name.text === 'in' || name.text === 'true' || name.text === 'false' || name.text === 'null')
        ) {
          this.#unexpected('IDENTIFIER');
        }
        this.#at++;
        if (!optional && name.kind === 'ident' && this.#accept('(')) {
          node = this.#method(node, name.text, this.#arguments(')'), position);
        } else node = { k: 'select', position, of: node, field: name.text, optional };
      } else if (this.#accept('[')) {
        const optional = this.#accept('?');
        const key = this.#expression();
        this.#expect(']');
        node = { k: 'index', position, of: node, key, optional };
      } else if (this.#is('{') && structName(node) !== undefined) {
        this.#at++;
        node = { k: 'struct', position, name: structName(node) as string, fields: this.#structFields() };
      } else return node;
    }
  }

  #primary(): Node {
    const token = this.#token;
    const { position } = token;
    switch (token.kind) {
      case 'int':
      case 'double':
        this.#at++;
        return this.#number(token.value as bigint | number, position);
      case 'uint':
        this.#at++;
        return { k: 'uint', position, value: token.value as bigint };
      case 'string':
      case 'bytes':
        this.#at++;
        return { k: 'literal', position, value: token.value as string | Uint8Array };
      case 'ident':
        return this.#identifier(false);
      case 'op':
        break;
      default:
        this.#unexpected('IDENTIFIER');
    }
    if (this.#accept('(')) {
      const node = this.#expression();
      this.#expect(')');
      return node;
    }
    if (this.#accept('[')) return { k: 'list', position, items: this.#items() };
    if (this.#accept('{')) return { k: 'map', position, entries: this.#entries() };
    if (this.#accept('.')) return this.#identifier(true);
    this.#unexpected('IDENTIFIER');
  }

  #identifier(root: boolean): Node {
    const { kind, text, position } = this.#token;
    if (kind !== 'ident') this.#unexpected('IDENTIFIER');
    this.#at++;
    if (!root && (text === 'true' || text === 'false')) return { k: 'literal', position, value: text === 'true' };
    if (!root && text === 'null') return { k: 'literal', position, value: null };
    if (isReserved(text)) throw new CelSyntaxError(position, `reserved identifier: ${text}`);
    if (!this.#accept('(')) return { k: 'ident', position, name: text, root };
    const args = this.#arguments(')');
    if (text === 'has' && !root) return hasOf(args, position);
    return { k: 'call', position, name: text, args };
  }

  #arguments(end: string): Node[] {
    const args: Node[] = [];
    if (this.#accept(end)) return args;
    do args.push(this.#expression());
    while (this.#accept(','));
    this.#expect(end);
    return args;
  }

  #items() {
    const items: { node: Node; optional: boolean }[] = [];
    while (!this.#accept(']')) {
      const optional = this.#accept('?');
      items.push({ optional, node: this.#expression() });
      if (!this.#accept(',') && !this.#is(']')) this.#unexpected(']');
    }
    return items;
  }

  #entries(): MapEntry[] {
    const entries: MapEntry[] = [];
    while (!this.#accept('}')) {
      const optional = this.#accept('?');
      const key = this.#expression();
      this.#expect(':');
      entries.push({ optional, key, value: this.#expression() });
      if (!this.#accept(',') && !this.#is('}')) this.#unexpected('}');
    }
    return entries;
  }

  #structFields(): StructField[] {
    const fields: StructField[] = [];
    while (!this.#accept('}')) {
      const optional = this.#accept('?');
      const { kind, text: name, position } = this.#token;
      if (kind !== 'ident' && kind !== 'quoted') this.#unexpected('IDENTIFIER');
      this.#at++;
      this.#expect(':');
      fields.push({ name, position, optional, value: this.#expression() });
      if (!this.#accept(',') && !this.#is('}')) this.#unexpected('}');
    }
    return fields;
  }

  #method(target: Node, name: string, args: readonly Node[], position: number): Node {
    return macro(target, name, args, position) ?? { k: 'call', position, name, target, args };
  }
}

/** A long chain of && or || as a tree that is not deep. */
function balanced(k: 'and' | 'or', operands: readonly Node[], position: number): Node {
  if (operands.length === 1) return operands[0] as Node;
  const middle = Math.ceil(operands.length / 2);
  return {
    k,
    position,
    left: balanced(k, operands.slice(0, middle), position),
    right: balanced(k, operands.slice(middle), position),
  };
}

/** `a.b.C` before a brace: a type's name. */
function structName(node: Node): string | undefined {
  if (node.k === 'ident') return node.name;
  if (node.k !== 'select' || node.optional) return undefined;
  const of = structName(node.of);
  return of === undefined ? undefined : `${of}.${node.field}`;
}

function hasOf(args: readonly Node[], position: number): Node {
  const [arg] = args;
  if (args.length !== 1 || arg?.k !== 'select') throw new CelSyntaxError(position, 'invalid argument to has() macro');
  return { k: 'has', position, of: arg.of, field: arg.field, optional: arg.optional };
}

/** How many arguments each iteration may have; those with two variables begin at the second number. */
const ITERATIONS: Readonly<Record<string, { how: Iteration; one: readonly number[]; two: readonly number[] }>> = {
  all: { how: 'all', one: [2], two: [3] },
  exists: { how: 'exists', one: [2], two: [3] },
  exists_one: { how: 'existsOne', one: [2], two: [] },
  existsOne: { how: 'existsOne', one: [2], two: [3] },
  map: { how: 'map', one: [2, 3], two: [] },
  filter: { how: 'filter', one: [2], two: [] },
  transformList: { how: 'transformList', one: [], two: [3, 4] },
  transformMap: { how: 'transformMap', one: [], two: [3, 4] },
  transformMapEntry: { how: 'transformMapEntry', one: [], two: [3, 4] },
};

function macro(target: Node, name: string, args: readonly Node[], position: number): Node | undefined {
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    const [variable, body] = args as [Node, Node];
    return { k: 'optMap', position, flat: name === 'optFlatMap', of: target, name: variableName(variable), body };
  }
  if (name === 'bind' && target.k === 'ident' && target.name === 'cel' && args.length === 3) {
    const [variable, value, body] = args as [Node, Node, Node];
    return { k: 'bind', position, name: variableName(variable), value, body };
  }
  const rule = Object.hasOwn(ITERATIONS, name) ? ITERATIONS[name] : undefined;
  if (rule === undefined) return undefined;
  const count = rule.one.includes(args.length) ? 1 : rule.two.includes(args.length) ? 2 : 0;
  if (count === 0) return undefined;
  const variables = args.slice(0, count).map(variableName);
  if (count === 2 && variables[0] === variables[1]) {
    throw new CelSyntaxError(position, `duplicate variable name: ${variables[0]}`);
  }
  const rest = args.slice(count);
  const body = rest[rest.length - 1] as Node; // every macro has one
  const base = { k: 'iterate', position, how: rule.how, over: target, variables, body } as const;
  return rest.length === 2 ? { ...base, filter: rest[0] as Node } : base;
}

function variableName(node: Node): string {
  if (node.k === 'ident' && !node.root) return node.name;
  throw new CelSyntaxError(node.position, 'argument must be a simple name');
}
