/** Reads a code out of what a person typed or pasted. */

const DIGIT = /\p{Nd}/gu;
/** What may stand between the digits of one code: white space, dashes, invisible characters. */
const GAP = String.raw`[\s\p{Pd}\p{DI}\p{Cf}\u2212]*`;

/**
 * The code of `length` digits in a text, in ASCII digits. A run of exactly that many digits counts first, then one with gaps
 * (`123 456`). `undefined` if there is none.
 */
export function readCode(text: string, length: number): string | undefined {
  const ascii = text.replace(DIGIT, (digit) => String(digitValue(digit)));
  const run = new RegExp(String.raw`(?<!\d)\d{${length}}(?!\d)`);
  const withGaps = new RegExp(String.raw`(?<!\d)\d(?:${GAP}\d){${length - 1}}(?!${GAP}\d)`, "u");
  const found = run.exec(ascii) ?? withGaps.exec(ascii);
  return found?.[0].replace(/\D/g, "");
}

/** The value of a decimal digit of any script. Unicode keeps the ten digits of a script together, from zero to nine. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}
