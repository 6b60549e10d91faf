/** Chooses the language of the page by RFC 4647, 3.4 (lookup). */

/** The first of `available` that one of `wanted` leads to by leaving off subtags from its end, or `fallback`. */
export function lookUp(wanted: readonly string[], available: readonly string[], fallback: string): string {
  for (const tag of wanted.flatMap((range) => [canonical(range), likely(range)])) {
    const subtags = tag.toLowerCase().split("-");
    while (subtags.length > 0) {
      const found = available.find((tag) => tag.toLowerCase() === subtags.join("-"));
      if (found !== undefined) return found;
      subtags.pop();
      // A single letter introduces the subtags behind it and means nothing without them.
      if (subtags.at(-1)?.length === 1) subtags.pop();
    }
  }
  return available.includes(fallback) ? fallback : "en";
}

/**
 * A tag with the script and region that it most likely means: `zh-TW` is `zh-Hant-TW` (CLDR, likely subtags). Chinese is simplified
 * outside of three regions, as in the mails: CLDR takes the script of the first who left for a region.
 */
function likely(tag: string): string {
  try {
    const { language, script, region = "" } = new Intl.Locale(tag);
    if (language === "zh" && script === undefined && !["TW", "HK", "MO"].includes(region)) return "zh-Hans";
    return new Intl.Locale(tag).maximize().baseName;
  } catch {
    return tag;
  }
}

/** A tag with replaced subtags (`in`, the former tag of Indonesian) in their present form. */
function canonical(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag;
  } catch {
    return tag;
  }
}
