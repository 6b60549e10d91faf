/** The texts of one language. The build makes them from locales/<language>.ftl. */

export type Texts = Readonly<Record<string, string>>;
export type Values = Readonly<Record<string, string | number>>;

/** A message with its values. Values are isolated, so that an address keeps its order among right-to-left text. */
export function format(texts: Texts, name: string, values: Values = {}): string {
  const text = texts[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, value: string) => (value in values ? `\u2068${values[value]}\u2069` : whole));
}

/** A duration in words, rounded up: seconds below two minutes, minutes below two hours, then hours. */
export function duration(language: string, milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  const [unit, size] = seconds < 120 ? ["second", 1] as const : seconds < 7200 ? ["minute", 60] as const : ["hour", 3600] as const;
  const options = { style: "unit", unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(language, options).format(Math.ceil(seconds / size));
}
