/** Where an expression does not compile. */
export interface CelIssue {
  /** as cel-go says it, with the place in the expression drawn below */
  readonly message: string;
  /** into the expression */
  readonly position: number;
}

/** An expression that does not compile; caught by `compile`. */
export class CelSyntaxError extends Error {
  readonly position: number;
  constructor(position: number, message: string) {
    super(message);
    this.position = position;
  }
}

/** An evaluation that failed: `budget` when it took too many steps. */
export class CelError extends Error {
  readonly budget: boolean;
  constructor(message: string, budget = false) {
    super(message);
    this.budget = budget;
  }
}

/** The message of a fault with the line and a pointer below it. */
export function showIssue(expression: string, position: number, message: string, syntax: boolean): string {
  const before = expression.slice(0, position);
  const line = before.split('\n').length;
  const column = position - (before.lastIndexOf('\n') + 1);
  const text = expression.split('\n')[line - 1] ?? '';
  return `ERROR: <input>:${line}:${column + 1}: ${syntax ? 'Syntax error: ' : ''}${message}\n | ${text}\n | ${'.'.repeat(column)}^`;
}

/** A failure that another operand may make up for. @throws what is none */
export function soft(error: unknown): unknown {
  if (error instanceof CelError && !error.budget) return error;
  throw error;
}
